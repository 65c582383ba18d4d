"""Clients that send jobs of 64 pictures and wait for them, many at once."""

import base64
import json
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus
from typing import Any

import cv2
import httpx
import numpy as np

from bench.api import EILEEN_AT_S, EILEEN_LATER_AT_S, GRACE_AT_S, PictureServer, picture_at

IMAGES = 64
SIDE_PX = 280
LONGEST_WAIT_S = 300.0
RECOGNIZE = "/v2/recognition/recognize/home"


@cache
def small_pictures() -> dict[str, bytes]:
    """Small real JPEGs by their names: cut-outs of the sample scene with a face, or with none."""
    found = {}
    for time_s in (EILEEN_AT_S, EILEEN_LATER_AT_S, GRACE_AT_S):
        frame = cv2.imdecode(np.frombuffer(picture_at(time_s), np.uint8), cv2.IMREAD_COLOR)
        for x in (180, 200, 220, 240):
            cut = frame[20 : 20 + SIDE_PX, x : x + SIDE_PX]
            encoded = cv2.imencode(".jpg", cut, [cv2.IMWRITE_JPEG_QUALITY, 85])[1]
            found[f"{time_s}-{x}.jpg"] = bytes(encoded)
    return found


def picture_server() -> PictureServer:
    """Serves the small pictures."""
    return PictureServer(small_pictures())


def body_of_a_job(pictures: str) -> bytes:
    """A request of 64 images, blobs and addresses in turn, as JSON."""
    named = list(small_pictures().items())
    images: list[dict[str, Any]] = []
    for number in range(IMAGES):
        name, picture = named[number % len(named)]
        blob = base64.b64encode(picture).decode()
        images.append({"blob": blob} if number % 2 else {"url": f"{pictures}/{name}"})
    return json.dumps({"images": images}).encode()


@dataclass(slots=True)
class Load:
    """What many clients did, and what they were told.

    Attributes:
        base: address of the API.
        token: good for it.
        pictures: address of the picture server.
        took_s: of each completed job, from the first try to send it to its completion.
    """

    base: str
    token: str
    pictures: str
    took_s: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    ended_as: Counter[str] = field(default_factory=Counter)
    accepted: int = 0
    lasted_s: float = 0.0
    decoded_bytes: int = SIDE_PX * SIDE_PX * 3
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def run(self, seconds: float, clients: int, go_on: Callable[[], None]) -> None:
        """Load for so long; returns when every accepted job is over, or is given up."""
        begun = time.monotonic()
        body = body_of_a_job(self.pictures)
        with ThreadPoolExecutor(clients) as pool:
            for done in [pool.submit(self._be_a_client, body, begun + seconds) for _ in range(clients)]:
                done.result()
                go_on()
        self.lasted_s = time.monotonic() - begun

    def summary(self) -> str:
        """The figures in words."""
        times = sorted(self.took_s) or [0.0]
        a_second = len(self.took_s) * IMAGES / max(self.lasted_s, 1e-9)
        refused = self.statuses[HTTPStatus.TOO_MANY_REQUESTS]
        return (
            f"{self.accepted} jobs of {IMAGES} pictures accepted, {len(self.took_s)} completed"
            f" ({dict(self.ended_as)}), {refused} times 429;"
            f" {a_second:.0f} pictures/s over {self.lasted_s:.0f} s;"
            f" first try to completion p50 {times[len(times) // 2]:.1f} s, longest {times[-1]:.1f} s"
        )

    def _be_a_client(self, body: bytes, until: float) -> None:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        with httpx.Client(base_url=self.base, headers=headers, timeout=60) as client:
            while time.monotonic() < until:
                begun = time.monotonic()
                job_id = self._sent(client, body, until)
                if job_id is not None:
                    self._wait_for(client, job_id, begun)

    def _sent(self, client: httpx.Client, body: bytes, until: float) -> str | None:
        """The id of the accepted job; None where time was up before it was taken."""
        while time.monotonic() < until:
            answer = client.post(RECOGNIZE, content=body)
            with self._lock:
                self.statuses[answer.status_code] += 1
                if answer.status_code == HTTPStatus.OK:
                    self.accepted += 1
                    return str(answer.json()["id"])
                is_full = answer.status_code == HTTPStatus.TOO_MANY_REQUESTS
                if not is_full or "retry-after" not in answer.headers:
                    self.faults.append(f"{answer.status_code} {answer.headers}: {answer.text[:300]}")
                    return None
            time.sleep(min(float(answer.headers["retry-after"]), max(0.0, until - time.monotonic())))
        return None

    def _wait_for(self, client: httpx.Client, job_id: str, begun: float) -> None:
        deadline = time.monotonic() + LONGEST_WAIT_S
        while time.monotonic() < deadline:
            answer = client.get(f"{RECOGNIZE}/{job_id}")
            status = answer.json().get("status") if answer.status_code == HTTPStatus.OK else None
            if status is None:
                with self._lock:
                    self.faults.append(f"{answer.status_code} for the job {job_id}: {answer.text[:300]}")
                return
            if status != "IN_PROGRESS":
                with self._lock:
                    self.took_s.append(time.monotonic() - begun)
                    self.ended_as[status] += 1
                    if status != "COMPLETED_SUCCESSFULLY":
                        self.faults.append(f"the job {job_id} is {status}: {_troubles(answer.json())}")
                return
            time.sleep(0.5)
        with self._lock:
            self.faults.append(f"the job {job_id} was not completed within {LONGEST_WAIT_S:.0f} s")


def _troubles(job: dict[str, Any]) -> str:
    return str(Counter(image["status"] for image in job["images"]))
