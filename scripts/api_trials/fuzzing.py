"""Bad requests in numbers, and what is wrong with the answers."""

import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http import HTTPStatus
from random import Random

import httpx

from api_trials.calls import every_call
from api_trials.exchange import Answer, exchange
from api_trials.garbage import garbage
from api_trials.spoiling import spoiled

CONNECTIONS = 4
SHARE_OF_GARBAGE = 0.15
WITH_BODY_OF_OURS = ("wrong_value", "broken_json", "wrong_picture")
"""What reaches our own code for certain, which owes an error in the one shape that errors have."""
SHOWN = 2000


@dataclass(slots=True)
class Findings:
    """How often what was answered, and everything that must not be."""

    answers: Counter[tuple[str, str]] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, kind: str, payload: bytes, answer: Answer | None, *, is_whole: bool) -> None:
        """Count an answer and judge it."""
        fault = _fault(kind, answer, is_whole=is_whole)
        with self._lock:
            self.answers[kind, "no answer" if answer is None else str(answer.status)] += 1
            if fault is not None:
                shown = payload[:SHOWN] + (b"..." if len(payload) > SHOWN else b"")
                self.faults.append(f"{fault} to {kind}: {shown!r}\n    {answer}")

    def unanswered(self, kind: str, payload: bytes) -> None:
        """A whole request that nobody answered in time."""
        with self._lock:
            self.faults.append(f"no answer in time to {kind}: {payload[:SHOWN]!r}")

    @property
    def number(self) -> int:
        """Requests so far."""
        return sum(self.answers.values())

    def statuses(self) -> str:
        """How often each status was answered."""
        statuses: Counter[str] = Counter()
        for (_, status), times in self.answers.items():
            statuses[status] += times
        return ", ".join(f"{times:,} x {status}" for status, times in sorted(statuses.items()))


def _fault(kind: str, answer: Answer | None, *, is_whole: bool) -> str | None:
    if answer is None:
        return None
    if answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR and answer.status != HTTPStatus.NOT_IMPLEMENTED:
        # 501 is what HTTP wants for a transfer encoding that a server does not know.
        return f"status {answer.status}"
    owes_shape = kind in WITH_BODY_OF_OURS or answer.content_type.startswith("application/json")
    if answer.status >= HTTPStatus.BAD_REQUEST and is_whole and owes_shape and answer.body:
        return None if answer.is_error_as_documented else "an error of another shape"
    return None


def fuzz(
    port: int, token: str, number: int, *, seed: int, go_on: Callable[[], None] = lambda: None
) -> Findings:
    """Send so many bad requests over a few connections at once; the same seed makes the same ones.

    `go_on` is called now and then, and may raise to end it.
    """
    findings = Findings()
    calls = every_call()

    def fire(connection: int) -> None:
        random = Random(f"{seed}-{connection}")  # noqa: S311 - the same bad requests again, no secrets
        for shot in range(number // CONNECTIONS + (connection < number % CONNECTIONS)):
            is_whole = random.random() >= SHARE_OF_GARBAGE
            kind, payload = spoiled(random, port, calls, token) if is_whole else garbage(random, port, token)
            try:
                answer = exchange(port, payload, is_whole=is_whole)
            except TimeoutError:
                findings.unanswered(kind, payload)
            else:
                findings.note(kind, payload, answer, is_whole=is_whole)
            if shot % 100 == 0:
                go_on()

    with ThreadPoolExecutor(CONNECTIONS) as pool:
        for done in [pool.submit(fire, connection) for connection in range(CONNECTIONS)]:
            done.result()
    return findings


def serves_still(base: str, token: str) -> bool:
    """Whether a good request is answered well."""
    headers = {"Authorization": f"Bearer {token}"}
    answer = httpx.post(
        f"{base}/v2/recognition/images/home/search", json={"limit": 1}, headers=headers, timeout=30
    )
    return answer.status_code == HTTPStatus.OK
