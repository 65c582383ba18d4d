"""The recognition API as an integrator uses it: docs/api.md, a plain HTTP client, the real daemon."""

import base64
import contextlib
import json
import subprocess
import uuid

import cv2
import httpx
import numpy as np
import pytest

from bench.api import (
    CLIENT,
    CLIENT_SECRET,
    EILEEN_AT_S,
    EILEEN_LATER_AT_S,
    EVERYBODY,
    GRACE_AT_S,
    PORTRAIT,
    ApiDaemon,
    PictureServer,
    picture_at,
    token_of,
)
from bench.clips import pattern
from bench.daemon import eventually, secret
from bench.webhook_receiver import SECRET, WebhookReceiver

RECOGNITION = "/v2/recognition"


def settings(folder, clip, **more):
    source = {"type": "file", "path": str(clip), "pace": "realtime", "loop": True}
    return {
        "feeds": [{"id": "hall", "source": source}],
        "sinks": [{"type": "file", "path": str(folder / "told")}],
    } | more


@contextlib.contextmanager
def integrator(daemon, client=CLIENT, its_secret=CLIENT_SECRET):
    """An HTTP client with a token."""
    headers = {"Authorization": f"Bearer {token_of(daemon.base, client, its_secret)}"}
    with httpx.Client(base_url=daemon.base, headers=headers, timeout=20) as api:
        yield api


def said(answer, status=200):
    assert answer.status_code == status, answer.text
    return answer.json()


def blob(picture):
    return base64.b64encode(picture).decode()


def finished(api, job_id, daemon):
    """The job, once it is completed."""

    def job():
        found = said(api.get(f"{RECOGNITION}/recognize/home/{job_id}"))
        return found if found["status"] != "IN_PROGRESS" else None

    return eventually(job, 60, daemon.log_text)


def recognised(api, daemon, picture):
    """The objects of one picture."""
    begun = said(api.post(f"{RECOGNITION}/recognize/home", json={"images": [{"blob": blob(picture)}]}))
    return finished(api, begun["id"], daemon)["images"][0]["objects"]


def faces(api, **search):
    return said(api.post(f"{RECOGNITION}/images/home/search", json=search))


def test_somebody_is_enrolled_from_a_request_is_known_and_is_forgotten(tmp_path):
    with contextlib.ExitStack() as stack:
        pictures = stack.enter_context(
            PictureServer({"eileen.jpg": picture_at(EILEEN_AT_S), "grace.jpg": picture_at(GRACE_AT_S)})
        )
        hook = stack.enter_context(WebhookReceiver(tls=False, secret=None))
        daemon = stack.enter_context(ApiDaemon(tmp_path, settings(tmp_path, pattern())))
        daemon.start().wait_until_ready()
        api = stack.enter_context(integrator(daemon))

        begun = said(
            api.post(
                f"{RECOGNITION}/recognize/home",
                json={
                    "images": [
                        {"url": f"{pictures.base}/eileen.jpg", "customId": "door-1"},
                        {"url": f"{pictures.base}/grace.jpg", "customId": "door-2"},
                        {"blob": blob(PORTRAIT.read_bytes()), "customId": "badge"},
                    ],
                    "customId": "visit-17",
                    "feedId": "reception",
                    "webhookUrl": f"http://127.0.0.1:{hook.port}/visits",
                },
            )
        )
        job = finished(api, begun["id"], daemon)
        assert_three_strangers(begun, job)
        assert_told(hook, job)
        assert [said(api.get(f"/v2/recognize/{job['id']}", params={"namespace": "home"}))] == [job]
        assert said(api.post(f"{RECOGNITION}/recognize/home/search", json={"customIds": ["visit-17"]})) == [
            job
        ]

        badge, seen = faces(api, customIds=["badge"])[0], faces(api, customIds=["door-1"])[0]
        assert (badge["feedId"], badge["type"], badge["edge"]["jobId"]) == ("reception", "FACE", job["id"])
        person = said(
            api.post(
                f"{RECOGNITION}/identities/home",
                json={"customId": "nasa-1", "imageIds": [badge["id"]], "edge": {"name": "Eileen Collins"}},
            )
        )
        assert [face["id"] for face in person["images"]] == [badge["id"]]

        known = recognised(api, daemon, picture_at(EILEEN_LATER_AT_S))
        assert [face["identityId"] for face in known] == [person["id"]]
        assert known[0]["edge"]["name"] == "Eileen Collins"
        assert known[0]["confidence"] > 0.9
        assert not any("identityId" in face for face in recognised(api, daemon, picture_at(GRACE_AT_S)))

        assert_changed_and_found(api, person, badge, seen)
        assert_forgotten(api, person, [badge["id"], seen["id"]])
        again = recognised(api, daemon, picture_at(EILEEN_LATER_AT_S))
        assert [("identityId" in face, face["edge"]["decision"]) for face in again] == [(False, "unknown")]
        assert daemon.stop() == 0, daemon.log_text()
        assert "Traceback" not in daemon.log_text()
        assert not any(json.loads(line).get("edge", {}).get("origin") == "api" for line in told(tmp_path))


def told(folder):
    """What the configured sink was told."""
    path = folder / "told"
    return path.read_text().splitlines() if path.exists() else []


def assert_three_strangers(begun, job):
    assert (begun["status"], begun["customId"], begun["feedId"]) == ("IN_PROGRESS", "visit-17", "reception")
    assert {image["status"] for image in begun["images"]} == {"IN_PROGRESS"}
    assert job["status"] == "COMPLETED_SUCCESSFULLY"
    assert [image["customId"] for image in job["images"]] == ["door-1", "door-2", "badge"]
    assert [image["id"] for image in job["images"]] == [image["id"] for image in begun["images"]]
    for image in job["images"]:
        assert image["status"] == "COMPLETED_SUCCESSFULLY"
        (face,) = image["objects"]
        assert "identityId" not in face
        box = face["boundingBox"]
        assert 0 <= box["xMin"] < box["xMax"] <= 1
        assert 0 <= box["yMin"] < box["yMax"] <= 1


def assert_told(hook, job):
    """The webhook was told the whole job in the end, each telling newer than the one before."""
    heard = eventually(lambda: hook.received and last(hook) == job and list(hook.received), 30, hook.bodies)
    assert {one.path for one in heard} == {"/visits"}
    sequences = [json.loads(one.body)["edge"]["sequence"] for one in heard]
    assert sequences == sorted(set(sequences))


def last(hook):
    """What the webhook was told last; how long that waited is not the job's."""
    job = json.loads(hook.bodies()[-1])
    job["edge"]["delayedMs"] = 0
    return job


def assert_changed_and_found(api, person, badge, seen):
    place = f"{RECOGNITION}/identities/home/{person['id']}"
    change = {"customId": "nasa-2", "images": {"add": [seen["id"]], "remove": [badge["id"]]}}
    changed = said(api.patch(place, json=change))
    assert (changed["customId"], [face["id"] for face in changed["images"]]) == ("nasa-2", [seen["id"]])
    assert changed["edge"]["name"] == "Eileen Collins", "what is left out stays"
    assert said(api.get(place))["images"] == changed["images"]
    search = f"{RECOGNITION}/identities/home/search"
    assert [one["id"] for one in said(api.post(search, json={"customIds": ["nasa-2"]}))] == [person["id"]]
    assert said(api.post(search, json={"customIds": ["nasa-1"]})) == []
    assert said(api.get(f"{RECOGNITION}/images/home/{seen['id']}"))["identityId"] == person["id"]


def assert_forgotten(api, person, face_ids):
    place = f"{RECOGNITION}/identities/home/{person['id']}"
    assert api.delete(place).status_code == 200
    assert api.delete(place).status_code == 404
    assert said(api.get(place), 404)["error"]["code"] == "NOT_FOUND"
    assert said(api.post(f"{RECOGNITION}/identities/home/search", json={})) == []
    assert [face for face in faces(api, limit=100) if face.get("identityId") == person["id"]] == []
    assert api.get(f"{RECOGNITION}/images/home/{face_ids[1]}").status_code == 404, "it stood for them"


@pytest.mark.timeout(120)
def test_a_job_in_whose_middle_the_power_fails_is_closed_for_its_asker_and_its_webhook(tmp_path):
    with contextlib.ExitStack() as stack:
        slow = {"slow.jpg": picture_at(GRACE_AT_S)}
        pictures = stack.enter_context(PictureServer(slow, held=frozenset(slow)))
        hook = stack.enter_context(WebhookReceiver(tls=False, secret=None))
        more = {"requests": {"fetch": {"timeout": "1 min", "allow_networks": ["127.0.0.1"]}}}
        daemon = stack.enter_context(ApiDaemon(tmp_path, settings(tmp_path, pattern(), **more)))
        daemon.start().wait_until_ready()
        with integrator(daemon) as api:
            request = {
                "images": [{"blob": blob(picture_at(EILEEN_AT_S))}, {"url": f"{pictures.base}/slow.jpg"}],
                "webhookUrl": f"http://127.0.0.1:{hook.port}/visits",
            }
            begun = said(api.post(f"{RECOGNITION}/recognize/home", json=request))
            eventually(lambda: pictures.asked, 30, daemon.log_text)

            daemon.kill()
            pictures.release()
            daemon.start().wait_until_ready()

            # The token was kept as well: nobody has to ask for a new one.
            job = finished(api, begun["id"], daemon)
            assert job["status"] in {
                "COMPLETED_PARTIAL_ERROR",
                "COMPLETED_ALL_ERROR",
                "COMPLETED_SUCCESSFULLY",
            }
            assert [image["id"] for image in job["images"]] == [image["id"] for image in begun["images"]]
            assert "IN_PROGRESS" not in {image["status"] for image in job["images"]}
            assert job["edge"]["sequence"] > begun["edge"]["sequence"]
            eventually(lambda: hook.received and last(hook) == job, 30, hook.bodies)
        assert daemon.stop() == 0, daemon.log_text()


@pytest.fixture(scope="module")
def gaze(tmp_path_factory):
    """A clip in which one person looks at the camera and hardly moves; made from the sample portrait."""
    clip = tmp_path_factory.mktemp("clips") / "gaze.mp4"
    moving = "scale=540:-2,pad=640:560:x=40:y=0:color=gray,crop=600:480:x='20+15*sin(t*2)':y=10"
    filters = f"{moving},noise=alls=6:allf=t,format=yuv420p"
    encoding = ["-t", "4", "-r", "15", "-vf", filters, "-c:v", "libx264", "-preset", "fast"]
    subprocess.run(["ffmpeg", "-v", "error", "-loop", "1", "-i", PORTRAIT, *encoding, clip], check=True)
    return clip


def test_faces_that_a_camera_saw_become_an_identity_that_the_camera_knows(tmp_path, gaze):
    config = settings(tmp_path, gaze, sightings={"max_age": "1 s", "close_after": "1 s"})
    with WebhookReceiver(tls=False) as hook, ApiDaemon(tmp_path, config) as daemon:
        daemon.start().wait_until_ready()
        with integrator(daemon) as api:
            url = f"http://127.0.0.1:{hook.port}/hall"
            registered = said(api.post("/v2/webhooks", json={"url": url, "secretKey": SECRET}))
            assert (registered["url"], registered["secretKey"]) == (url, SECRET)
            seen = eventually(lambda: faces(api, feedIds=["hall"]), 60, daemon.log_text)
            group = eventually(lambda: groups_of(api), 30, daemon.log_text)
            assert said(api.get(f"{RECOGNITION}/groups/home/{group['id']}"))["id"] == group["id"]
            assert {face["id"] for face in group["images"]} <= {face["id"] for face in faces(api, limit=100)}

            person = said(
                api.post(
                    f"{RECOGNITION}/identities/home",
                    json={"imageIds": [seen[0]["id"]], "edge": {"name": "Eileen"}},
                )
            )

            eventually(lambda: person["id"] in known_at(api, "hall"), 60, daemon.log_text)
            eventually(lambda: person["id"] in "".join(hook.bodies()), 30, hook.bodies)
            assert {one.answered for one in hook.received} == {200}, "every signature was right"
        assert daemon.stop() == 0, daemon.log_text()
        assert "Traceback" not in daemon.log_text()


def groups_of(api):
    found = said(api.post(f"{RECOGNITION}/groups/home/search", json={}))
    return found[0] if found and found[0]["images"] else None


def known_at(api, feed):
    """Who is known in the jobs of a feed."""
    jobs = said(api.post(f"{RECOGNITION}/recognize/home/search", json={"feedIds": [feed], "limit": 100}))
    return {
        face["identityId"]
        for job in jobs
        for image in job["images"]
        for face in image["objects"]
        if "identityId" in face
    }


@pytest.mark.parametrize("keeps", [True, False], ids=["kept", "not kept"])
def test_an_address_of_a_picture_serves_it_or_says_that_it_is_none(tmp_path, gaze, keeps):
    config = settings(tmp_path, gaze, history={"pictures": {"keep": keeps}})
    with ApiDaemon(tmp_path, config) as daemon:
        daemon.start().wait_until_ready()
        with integrator(daemon) as api:
            seen = eventually(lambda: faces(api, feedIds=["hall"]), 60, daemon.log_text)[0]
            job = said(api.get(f"{RECOGNITION}/recognize/home/{seen['edge']['jobId']}"))
            image = next(one for one in job["images"] if one["id"] == seen["edge"]["imageId"])
            stored = f"{daemon.base}{RECOGNITION}/pictures/home/{image['id']}"
            if keeps:
                assert image["url"] == stored
                assert decoded(api.get(stored)).shape == (480, 600, 3)
                assert httpx.get(stored).status_code == 401
            else:
                assert image["url"] == f"edged://bench/hall/{image['id']}"
                assert said(api.get(stored), 404)["error"]["code"] == "NOT_FOUND"

            face = f"{RECOGNITION}/images/home/{seen['id']}"
            chip = decoded(api.get(face, headers={"Accept": "image/jpeg"}))
            assert min(chip.shape[:2]) >= 100
            assert decoded(api.get(seen["url"])).shape == chip.shape
            assert said(api.get(face, headers={"Accept": "application/json"}))["id"] == seen["id"]
        assert daemon.stop() == 0, daemon.log_text()


def decoded(answer):
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/jpeg"), answer.text
    picture = cv2.imdecode(np.frombuffer(answer.content, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return picture


def test_a_client_is_told_nothing_of_a_namespace_that_is_not_its_own(tmp_path):
    neighbour = {"id": "neighbour", "secret": secret("neighbour"), "namespaces": ["office"]}
    reader = {
        "id": "reader",
        "secret": secret("reader"),
        "namespaces": ["home"],
        "scopes": ["recognition:read"],
    }
    config = settings(tmp_path, pattern(), http={"clients": [EVERYBODY, neighbour, reader]})
    secrets = {"neighbour": "a neighbour's own secret", "reader": "a reader's own secret"}
    with ApiDaemon(tmp_path, config, secrets=secrets) as daemon:
        daemon.start().wait_until_ready()
        with integrator(daemon) as api:
            begun = said(
                api.post(
                    f"{RECOGNITION}/recognize/home", json={"images": [{"blob": blob(PORTRAIT.read_bytes())}]}
                )
            )
            finished(api, begun["id"], daemon)
            face = faces(api)[0]
            detecting = {"images": [{"blob": blob(PORTRAIT.read_bytes())}], "classes": [{"class": "face"}]}
            detect = said(api.post("/v2/detect", json=detecting))

        with integrator(daemon, "neighbour", secrets["neighbour"]) as api:
            for kind, there in (("recognize", begun["id"]), ("images", face["id"])):
                nowhere = str(uuid.uuid4())
                assert said(api.get(f"{RECOGNITION}/{kind}/home/{there}"), 403) == said(
                    api.get(f"{RECOGNITION}/{kind}/home/{nowhere}"), 403
                )
                assert alike(api, f"{RECOGNITION}/{kind}/office/", there, nowhere)
            assert alike(api, "/v2/detect/", detect["id"], str(uuid.uuid4())), "jobs of another client"
            assert said(api.get("/v2/detect")) == []
            stolen = {"imageIds": [face["id"]]}
            assert api.post(f"{RECOGNITION}/identities/home", json=stolen).status_code == 403
            refused = api.post(f"{RECOGNITION}/identities/office", json=stolen)
            never = str(uuid.uuid4())
            unknown = api.post(f"{RECOGNITION}/identities/office", json={"imageIds": [never]})
            assert (refused.status_code, unknown.status_code) == (409, 409), refused.text
            assert refused.text.replace(face["id"], never) == unknown.text

        with integrator(daemon, "reader", secrets["reader"]) as api:
            assert said(api.get(f"{RECOGNITION}/images/home/{face['id']}"))["id"] == face["id"]
            refused = api.post(f"{RECOGNITION}/identities/home", json={"imageIds": [face["id"]]})
            assert said(refused, 403)["error"]["code"] == "FORBIDDEN"
            assert "recognition:create" in refused.json()["error"]["message"]
        assert daemon.stop() == 0, daemon.log_text()
        for its_secret in (*secrets.values(), CLIENT_SECRET):
            assert its_secret not in daemon.log_text()


def alike(api, place, there, nowhere):
    """Whether what is elsewhere and what never was are 404 in the same words."""
    elsewhere, never = api.get(place + there), api.get(place + nowhere)
    assert (elsewhere.status_code, never.status_code) == (404, 404), elsewhere.text
    return elsewhere.text.replace(there, nowhere) == never.text
