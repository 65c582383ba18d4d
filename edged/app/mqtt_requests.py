"""Requests that came over MQTT, on their way to whoever works on them: a short queue and a thread."""

import logging
import threading
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Protocol

import msgspec

from edged.api.decoding import decode
from edged.api.problem import Code, Problem, not_found
from edged.api.requests import RecognizeRequest
from edged.delivery.reply_topic import is_level
from edged.domain.errors import StoreError
from edged.domain.hook import HookLimitError
from edged.domain.message import Message, MessageKind, Reply
from edged.domain.moment import Clock
from edged.pipeline.committer import Outbox
from edged.publish.complaints import Complaints
from edged.publish.mqtt_inbox import MqttRequest

MOST_WAITING: Final = 16
MOST_BYTES: Final = 32_000_000
"""Of the requests that wait; one alone may be larger."""
MOST_REFUSED: Final = 64
"""Refusals that wait to be answered; more are not answered, and counted."""
RETRY_AFTER_S: Final = 5
_MOST_CUSTOM_ID: Final = 64

_LOG = logging.getLogger(__name__)


class Recognize(Protocol):
    """Takes requests on."""

    def __call__(
        self,
        namespace: str,
        request: RecognizeRequest,
        *,
        recipients: tuple[str, ...] = (),
        reply: Reply | None = None,
    ) -> object:
        """Take a request on; returns when its job is on the disk. Raises Problem."""
        ...


class _Named(msgspec.Struct, rename="camel"):
    """What is read of a request that is not worked on."""

    custom_id: object = None


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A request in the queue; with `problem` it is only to be answered, and has no body any more."""

    request: MqttRequest
    reply: Reply | None = None
    problem: Problem | None = None

    @property
    def size(self) -> int:
        return len(self.request.body or b"")


class MqttRequests(threading.Thread):
    """Stands between the sinks' threads, which must not wait, and `recognize`, which does.

    A request that was taken over and not begun ends with the daemon: whoever hears no answer asks again.
    Answers, refusals among them, go through the outbox.

    Args:
        recognize: takes requests on.
        served: namespaces; requests in others are answered 404.
        make_hook: gives the sink of an address that a request wants to be told at (`webhookUrl`); raises
            Problem, HookLimitError or StoreError.
        release_hook: is told a sink of `make_hook`'s when nothing came of its request.
        outbox: takes refusals.
        on_commit: called after each of them; wakes the sinks.
        clock: who knows the time.
        new_id: a random UUID.
    """

    def __init__(
        self,
        *,
        recognize: Recognize,
        served: frozenset[str],
        make_hook: Callable[[str], str],
        release_hook: Callable[[str], None],
        outbox: Outbox,
        on_commit: Callable[[], None],
        clock: Clock,
        new_id: Callable[[], str],
    ) -> None:
        super().__init__(name="mqtt-requests", daemon=True)
        self._recognize = recognize
        self._served = served
        self._make_hook = make_hook
        self._release_hook = release_hook
        self._outbox = outbox
        self._on_commit = on_commit
        self._clock = clock
        self._new_id = new_id
        self._changed = threading.Condition()
        self._queue: deque[_Waiting] = deque()
        self._is_stopping = False
        self._counts: Counter[str] = Counter()
        self._unanswered = Complaints(_LOG, clock)

    @property
    def counts(self) -> dict[str, int]:
        """Since the start: requests `accepted`, `refused`, and refusals that stayed `unanswered`."""
        with self._changed:
            return dict(self._counts)

    @property
    def waiting(self) -> int:
        """Requests in the queue; any thread may ask."""
        with self._changed:
            return len(self._queue)

    def take(self, request: MqttRequest) -> None:
        """Take a request over; any thread may call it, and does not wait."""
        if request.body is None:
            words = f"the request is larger than {request.most_bytes} bytes (`max_request`)"
            self._put(_Waiting(request, _reply_to(request, None), Problem(Code.TOO_LARGE, words)))
            return
        with self._changed:
            if self._has_room(len(request.body)):
                self._queue.append(_Waiting(request))
                self._changed.notify_all()
                return
        problem = Problem(
            Code.TOO_MANY, "too many requests wait; ask again in some seconds", retry_after_s=RETRY_AFTER_S
        )
        reply = _reply_to(request, _custom_id_of(request.body))
        self._put(_Waiting(replace(request, body=None), reply, problem))

    def stop(self, timeout_s: float) -> bool:
        """End; what waits is told nothing. False where the thread hangs for longer."""
        with self._changed:
            self._is_stopping = True
            if self._queue:
                _LOG.warning("%d requests over MQTT are not worked on: edged ends", len(self._queue))
                self._counts["unanswered"] += len(self._queue)
            self._queue.clear()
            self._changed.notify_all()
        if self.ident is not None:
            self.join(timeout_s)
        return not self.is_alive()

    def run(self) -> None:
        """The thread: until `stop`."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._is_stopping or len(self._queue) > 0)
                if self._is_stopping:
                    return
                waiting = self._queue.popleft()
            self._work_on(waiting)

    def _has_room(self, size: int) -> bool:
        requests = [waiting for waiting in self._queue if waiting.problem is None]
        held = sum(waiting.size for waiting in requests)
        return len(requests) < MOST_WAITING and (not held or held + size <= MOST_BYTES)

    def _put(self, refusal: _Waiting) -> None:
        with self._changed:
            if sum(waiting.problem is not None for waiting in self._queue) < MOST_REFUSED:
                self._queue.append(refusal)
                self._changed.notify_all()
                return
        self._left_unanswered("too many of them")

    def _work_on(self, waiting: _Waiting) -> None:
        request, problem, reply = waiting.request, waiting.problem, waiting.reply
        if problem is None:
            reply = _reply_to(request, _custom_id_of(request.body or b""))
            problem = self._begin(request, reply)
        if problem is None:
            self._count("accepted")
        else:
            self._count("refused")
            self._answer(request, reply, problem)

    def _begin(self, request: MqttRequest, reply: Reply) -> Problem | None:
        """Have a request taken on; returns why it was not."""
        try:
            self._hand_on(request, reply)
        except Problem as problem:
            return problem
        except HookLimitError as error:
            return Problem(Code.TOO_MANY, error.what, retry_after_s=RETRY_AFTER_S)
        except StoreError:
            return Problem(Code.UNAVAILABLE, "nothing can be stored now; ask again later")
        except Exception:  # noqa: BLE001 - the top of the thread
            _LOG.exception("A request over MQTT met a fault of edged itself")
            return Problem(Code.INTERNAL, "a fault of edged itself; its log tells more")
        return None

    def _hand_on(self, request: MqttRequest, reply: Reply) -> None:
        asked = decode(request.body or b"", RecognizeRequest)
        if request.namespace not in self._served:
            raise not_found("namespace", request.namespace)
        hooks = () if asked.webhook_url is None else (self._make_hook(asked.webhook_url),)
        is_begun = False
        try:
            recipients = (request.sink_id, *hooks)
            self._recognize(request.namespace, asked, recipients=recipients, reply=reply)
            is_begun = True
        finally:
            if not is_begun:
                for hook in hooks:
                    self._release_hook(hook)

    def _answer(self, request: MqttRequest, reply: Reply | None, problem: Problem) -> None:
        now = self._clock.moment()
        message = Message(
            kind=MessageKind.JOB,
            namespace=request.namespace,
            feed_id="",
            subject_id=self._new_id(),
            sequence=1,
            is_final=True,
            body=problem.body(),
            at_ms=now.utc_ms,
            is_request=True,
            recipients=(request.sink_id,),
            reply=reply,
        )
        try:
            self._outbox.commit([message], now)
        except StoreError as error:
            self._left_unanswered(str(error))
        else:
            self._on_commit()

    def _left_unanswered(self, why: str) -> None:
        self._count("unanswered")
        self._unanswered.tell(f"Requests over MQTT are refused without an answer: {why}")

    def _count(self, name: str) -> None:
        with self._changed:
            self._counts[name] += 1


def _custom_id_of(body: bytes) -> str | None:
    """What whoever asked calls the request, also where the rest of it is wrong."""
    try:
        custom_id = decode(body, _Named).custom_id
    except Problem:
        return None
    return custom_id if isinstance(custom_id, str) else None


def _reply_to(request: MqttRequest, custom_id: str | None) -> Reply:
    """Where the answers to a request go."""
    topic = request.response_topic
    if topic is None and custom_id is not None and len(custom_id) <= _MOST_CUSTOM_ID and is_level(custom_id):
        topic = f"{request.answers}/{custom_id}"
    return Reply(topic or "", request.correlation)
