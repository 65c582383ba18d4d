"""Something of everything in a daemon, so that calls have something to answer with."""

import time
from typing import Any

import httpx

from api_trials.calls import NAMESPACE, another_picture, small_picture

RECOGNITION = "/v2/recognition"


def sow(client: httpx.Client) -> dict[str, str]:
    """Make one of each resource; ids by the path of the call that gets it, up to its `{id}`."""
    images = [{"blob": small_picture(), "customId": "one"}, {"blob": another_picture(), "customId": "two"}]
    job = _posted(client, f"{RECOGNITION}/recognize/{NAMESPACE}", {"images": images, "feedId": "reception"})
    while _got(client, f"{RECOGNITION}/recognize/{NAMESPACE}/{job['id']}")["status"] == "IN_PROGRESS":
        time.sleep(0.2)
    faces = _posted(client, f"{RECOGNITION}/images/{NAMESPACE}/search", {"customIds": ["one"]})
    groups = _posted(client, f"{RECOGNITION}/groups/{NAMESPACE}/search", {})
    person = {"customId": "somebody", "imageIds": [faces[0]["id"]], "edge": {"name": "Somebody"}}
    identity = _posted(client, f"{RECOGNITION}/identities/{NAMESPACE}", person)
    detect = _posted(client, "/v2/detect", {"images": images[:1], "classes": [{"class": "face"}]})
    hook = _posted(client, "/v2/webhooks", {"url": "http://127.0.0.1:9/nobody"})
    return {
        "/recognition/recognize/{namespace}/": job["id"],
        "/recognize/": job["id"],
        "/recognition/images/{namespace}/": faces[0]["id"],
        "/recognition/pictures/{namespace}/": job["images"][1]["id"],
        "/recognition/groups/{namespace}/": groups[0]["id"],
        "/recognition/identities/{namespace}/": identity["id"],
        "/detect/": detect["id"],
        "/webhooks/": hook["id"],
    }


def _posted(client: httpx.Client, path: str, body: Any) -> Any:
    answer = client.post(path, json=body)
    if answer.status_code != httpx.codes.OK:
        raise SystemExit(f"POST {path}: {answer.status_code} {answer.text}")
    return answer.json()


def _got(client: httpx.Client, path: str) -> Any:
    answer = client.get(path)
    if answer.status_code != httpx.codes.OK:
        raise SystemExit(f"GET {path}: {answer.status_code} {answer.text}")
    return answer.json()
