"""The server over real connections: every operation, and every way in which a request can be wrong."""

import json
import re

import httpx
import jsonschema
import pytest

from bench.daemon import eventually
from builders.api_backend import (
    CLIENT,
    FACE_ID,
    GROUP_ID,
    IMAGE_ID,
    PICTURE,
    READER_TOKEN,
    SECRET,
    TOKEN,
    FakeBackend,
    an_id,
)
from edged.api.operation import JPEG, Operation
from edged.api.operations import OPERATIONS
from edged.api.problem import Code, Problem
from edged.domain.errors import StoreError

IMAGES = {"images": [{"url": "https://pictures.example/1.jpg"}]}
OF_HOME = "/v2/recognition/{}/home"


def _code(answer: httpx.Response) -> str:
    return str(answer.json()["error"]["code"])


def _named(operation: Operation) -> str:
    return operation.id


def _call(client: httpx.Client, operation: Operation, **more: object) -> httpx.Response:
    path = operation.path.replace("{namespace}", "home").replace("{id}", an_id(999))
    query = {"namespace": "home"} if any(one.name == "namespace" for one in operation.query) else {}
    return client.request(operation.method, path, params=query, **{"json": operation.example, **more})


def test_a_token_is_had_for_id_and_secret_and_works_until_it_is_revoked(client: httpx.Client) -> None:
    answer = client.post("/v2/oauth/token", json={"clientId": CLIENT, "clientSecret": SECRET})
    assert answer.status_code == 200
    token = {"authorization": f"bearer {answer.json()['accessToken']}"}
    assert client.get("/v2/webhooks", headers=token).json() == []
    assert client.delete("/v2/oauth/token", headers=token).json() == {}
    assert client.get("/v2/webhooks", headers=token).status_code == 401


def test_the_backend_is_told_from_which_address_a_secret_comes(a_server, backend: FakeBackend) -> None:
    body = {"clientId": CLIENT, "clientSecret": SECRET}
    forwarded = {"x-forwarded-for": "203.0.113.9, 198.51.100.7"}
    httpx.post(f"http://{a_server()}/v2/oauth/token", json=body, headers=forwarded)
    assert backend.address == "127.0.0.1"
    behind_proxy = a_server(trusted_proxies=("127.0.0.0/8",))
    httpx.post(f"http://{behind_proxy}/v2/oauth/token", json=body, headers=forwarded)
    assert backend.address == "198.51.100.7"


@pytest.mark.parametrize(
    ("asking", "finding"),
    [
        (OF_HOME.format("recognize"), OF_HOME.format("recognize") + "/{}"),
        ("/v2/recognize?namespace=home", "/v2/recognize/{}?namespace=home"),
    ],
)
def test_a_job_is_made_and_found_again_in_both_spellings(
    client: httpx.Client, asking: str, finding: str
) -> None:
    made = client.post(asking, json={**IMAGES, "customId": "visit-17"})
    assert (made.status_code, made.json()["status"]) == (200, "IN_PROGRESS")
    assert client.get(finding.format(made.json()["id"])).json() == made.json()
    assert client.post(OF_HOME.format("recognize") + "/search", json={}).json() == [made.json()]


def test_an_identity_is_made_changed_found_merged_and_deleted(client: httpx.Client) -> None:
    people = OF_HOME.format("identities")
    made = client.post(people, json={"imageIds": [FACE_ID], "edge": {"name": "Eileen Collins"}}).json()
    one = f"{people}/{made['id']}"
    assert client.get(one).json() == made
    assert client.patch(one, json={"customId": "employee-12"}).json()["customId"] == "employee-12"
    assert [each["id"] for each in client.post(f"{people}/search", json={}).json()] == [made["id"]]
    assert client.post(f"{one}/images", json={"images": [{"blob": "AAAA"}]}).status_code == 200
    assert client.post(f"{one}/merge", json={"ids": [an_id(999)]}).status_code == 404
    assert client.delete(one).json() == {}
    assert client.get(one).status_code == 404


def test_faces_pictures_and_groups_are_had(client: httpx.Client) -> None:
    face = OF_HOME.format("images") + f"/{FACE_ID}"
    assert client.get(face).json()["id"] == FACE_ID
    assert client.post(OF_HOME.format("images") + "/search", json={"ids": [FACE_ID]}).json()
    for path in (f"{face}/picture", OF_HOME.format("pictures") + f"/{IMAGE_ID}"):
        picture = client.get(path)
        assert (picture.content, picture.headers["content-type"]) == (PICTURE, "image/jpeg")
    assert client.get(OF_HOME.format("groups") + f"/{GROUP_ID}").json()["id"] == GROUP_ID
    assert client.post(OF_HOME.format("groups") + "/search", json={}).json()


@pytest.mark.parametrize(
    ("accept", "media"),
    [
        ("*/*", "application/json"),
        ("image/jpeg", "image/jpeg"),
        ("image/*", "image/jpeg"),
        ("image/jpeg;q=0.5, application/json", "application/json"),
        ("application/json;q=0.1, image/jpeg;q=0.2", "image/jpeg"),
    ],
)
def test_a_face_is_had_in_the_form_that_is_liked_best(client: httpx.Client, accept: str, media: str) -> None:
    answer = client.get(OF_HOME.format("images") + f"/{FACE_ID}", headers={"accept": accept})
    assert (answer.status_code, answer.headers["content-type"]) == (200, media)


def test_detect_jobs_are_made_and_found(client: httpx.Client, backend: FakeBackend) -> None:
    made = client.post("/v2/detect", json={**IMAGES, "classes": [{"class": "face"}]}).json()
    assert client.get(f"/v2/detect/{made['id']}").json() == made
    search = {"customId": "a b", "feedId": "", "before": "1.5e12", "after": "-1e300", "unknown": "x"}
    assert client.get("/v2/detect", params=search).json() == [made]
    assert backend.asked[-1] == ("detect_jobs", ("a b", "", 1.5e12, -(2.0**53)))


def test_times_of_a_search_are_cut_to_what_a_database_takes(
    client: httpx.Client, backend: FakeBackend
) -> None:
    body = {"start": -1e308, "end": 1e308, "limit": 1.9}
    assert client.post(OF_HOME.format("images") + "/search", json=body).status_code == 200
    name, search = backend.asked[-1]
    assert (name, search.start, search.end, search.limit) == ("faces", -(2.0**53), 2.0**53, 1.9)


def test_webhooks_are_registered_listed_and_deleted(client: httpx.Client) -> None:
    made = client.post("/v2/webhooks", json={"url": "https://receiver.example/jobs"}).json()
    assert made["secretKey"]
    assert "secretKey" not in client.get("/v2/webhooks").json()[0]
    assert client.delete(f"/v2/webhooks/{made['id']}").json() == {}
    assert client.get("/v2/webhooks").json() == []


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if one.needs_token], ids=_named)
@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer wrong", "Basic YTpi", "Bearer " + "x" * 600])
def test_nothing_is_done_without_a_good_token(
    where: str, backend: FakeBackend, operation: Operation, authorization: str
) -> None:
    headers = {"authorization": authorization}
    with httpx.Client(base_url=f"http://{where}", headers=headers, verify=False) as stranger:
        answer = _call(stranger, operation)
    assert (answer.status_code, _code(answer)) == (401, "UNAUTHORIZED")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert backend.asked == []


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if one.scope], ids=_named)
def test_what_the_scopes_do_not_allow_is_forbidden(
    client: httpx.Client, backend: FakeBackend, operation: Operation
) -> None:
    answer = _call(client, operation, headers={"authorization": f"Bearer {READER_TOKEN}"})
    assert (answer.status_code == 403) == (operation.scope != "recognition:read")
    assert (backend.asked == []) == (answer.status_code == 403)


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if one.has_namespace], ids=_named)
def test_a_namespace_that_is_not_the_callers_is_forbidden_whether_it_is_there_or_not(
    client: httpx.Client, backend: FakeBackend, operation: Operation
) -> None:
    path = operation.path.replace("{namespace}", "elsewhere").replace("{id}", FACE_ID)
    answer = client.request(operation.method, path, json=operation.example, params={"namespace": "elsewhere"})
    assert (answer.status_code, _code(answer)) == (403, "FORBIDDEN")
    assert backend.asked == []


@pytest.mark.parametrize("operation", [one for one in OPERATIONS if "{id}" in one.path], ids=_named)
@pytest.mark.parametrize("reference", ["x" * 65, "%00", "%E2%82%AC", "a%0A", "..%3b", "%FF"])
def test_what_is_no_id_is_not_found_and_the_backend_not_asked(
    client: httpx.Client, backend: FakeBackend, operation: Operation, reference: str
) -> None:
    path = operation.path.replace("{namespace}", "home").replace("{id}", reference)
    answer = client.request(operation.method, path, json=operation.example, params={"namespace": "home"})
    assert (answer.status_code, _code(answer)) == (404, "NOT_FOUND")
    assert backend.asked == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (b"", None),
        (b"nothing", None),
        (b'{"images": [{"url": "a"}]', None),
        (b"\xff\xfe{}", None),
        (b'{"images": ' + b"[" * 4000, "images[0]"),
        (b'{"x": ' + b"[" * 4000, None),
        (b'{"x": ' + b'{"x":' * 1500, None),
        (b'{"images": [{"url": "\\ud800"}]}', None),
        (b"[]", None),
        (b'{"images": []}', "images"),
        (b'{"images": [{}]}', "images[0]"),
        (b'{"images": [{"url": "a"}, {"url": "a", "blob": "AAAA"}]}', "images[1]"),
        (b'{"images": [{"url": 3}]}', "images[0].url"),
        (b'{"images": [{"blob": "?"}]}', "images[0].blob"),
        (b'{"images": [{"url": "a\\u0000"}]}', "images[0].url"),
        (b'{"images": [{"url": "a"}], "customId": ' + b"9" * 4000 + b"}", "customId"),
    ],
)
def test_a_malformed_body_is_refused_with_the_path_of_what_is_wrong(
    client: httpx.Client, backend: FakeBackend, body: bytes, field: str | None
) -> None:
    answer = client.post(
        "/v2/recognize?namespace=home", content=body, headers={"content-type": "application/json"}
    )
    assert (answer.status_code, _code(answer)) == (400, "MALFORMED_REQUEST")
    assert answer.json()["error"].get("field") == field
    assert backend.asked == []


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("before=x", "before"),
        ("after=", "after"),
        ("after=nan", "after"),
        ("before=1_0", "before"),
        ("before=1&before=2", "before"),
        ("customId=%00", "customId"),
        ("customId=%FF", None),
        ("&".join(f"a{number}=1" for number in range(100)), None),
    ],
)
def test_a_malformed_query_is_refused(client: httpx.Client, query: str, field: str | None) -> None:
    answer = client.get(f"/v2/detect?{query}")
    assert (answer.status_code, answer.json()["error"].get("field")) == (400, field)


def test_the_short_form_needs_its_namespace(client: httpx.Client) -> None:
    answer = client.post("/v2/recognize", json=IMAGES)
    assert (answer.status_code, answer.json()["error"]["field"]) == (400, "namespace")


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "application/xml", "application/json; charset=latin-1", "a"]
)
def test_a_body_that_is_not_said_to_be_json_is_refused(client: httpx.Client, content_type: str) -> None:
    answer = client.post("/v2/detect", content=json.dumps(IMAGES), headers={"content-type": content_type})
    assert (answer.status_code, _code(answer)) == (415, "UNSUPPORTED_MEDIA_TYPE")


def test_what_is_not_answered_in_any_form_that_is_taken_is_said(client: httpx.Client) -> None:
    answer = client.get("/v2/webhooks", headers={"accept": "text/html, application/json;q=0"})
    assert (answer.status_code, _code(answer)) == (406, "NOT_ACCEPTABLE")


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v2/webhooks", "GET, HEAD, POST"),
        (OF_HOME.format("identities") + f"/{FACE_ID}", "DELETE, GET, HEAD, PATCH"),
        ("/healthz", "GET, HEAD"),
    ],
)
@pytest.mark.parametrize("method", ["PUT", "OPTIONS", "TRACE", "BREW"])
def test_a_wrong_method_is_told_the_right_ones(
    client: httpx.Client, path: str, allowed: str, method: str
) -> None:
    answer = client.request(method, path)
    assert (answer.status_code, answer.headers["allow"], _code(answer)) == (
        405,
        allowed,
        "METHOD_NOT_ALLOWED",
    )


@pytest.mark.parametrize(
    "path", ["/v3", "/v2", "/v2/webhooks/", "/v2//webhooks", "/docs/..%2f", "/V2/detect"]
)
def test_an_unknown_path_is_not_found(client: httpx.Client, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, _code(answer)) == (404, "NOT_FOUND")


@pytest.mark.parametrize("path", ["/v2/webhooks", "/healthz", "/docs", "/openapi.json"])
def test_head_is_get_without_its_body(client: httpx.Client, path: str) -> None:
    whole, head = client.get(path), client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == whole.headers["content-length"]


def test_a_problem_of_the_backend_is_answered_with_all_it_says(
    client: httpx.Client, backend: FakeBackend
) -> None:
    backend.raises = Problem(Code.TOO_MANY, "the queue is full", field="images", retry_after_s=7)
    answer = client.post("/v2/recognize?namespace=home", json=IMAGES)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    error = {"code": "TOO_MANY_REQUESTS", "message": "the queue is full", "field": "images"}
    assert answer.json() == {"error": error}


@pytest.mark.parametrize("error", [RuntimeError("the secret is hunter2"), StoreError("home.db is corrupt")])
def test_a_mistake_of_our_own_is_logged_and_not_told(
    client: httpx.Client, backend: FakeBackend, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    backend.raises = error
    answer = client.get("/v2/webhooks")
    assert (answer.status_code, _code(answer)) == (500, "INTERNAL_ERROR")
    assert str(error) not in answer.text
    assert str(error) in caplog.text
    assert client.get("/v2/webhooks").status_code == 200


def test_health_is_had_without_a_token(where: str, backend: FakeBackend) -> None:
    assert httpx.get(f"http://{where}/healthz").json() == {"status": "ok"}
    assert httpx.get(f"http://{where}/readyz").json() == {"status": "ready"}
    backend.alive, backend.missing = False, ("the models are being loaded",)
    health, readiness = (httpx.get(f"http://{where}/{path}") for path in ("healthz", "readyz"))
    assert (health.status_code, readiness.status_code) == (503, 503)
    assert readiness.json() == {"status": "not ready", "missing": ["the models are being loaded"]}


def test_the_page_loads_nothing_and_runs_nothing(where: str) -> None:
    assert httpx.get(f"http://{where}/").headers["location"] == "/docs"
    answer = httpx.get(f"http://{where}/docs", headers={"accept": "text/html,*/*;q=0.8"})
    assert answer.status_code == 200
    assert re.search(r"default-src 'none'; style-src 'sha256-[A-Za-z0-9+/]{43}='", _policy(answer))
    assert "<script" not in answer.text
    assert re.findall(r'(?:src|href)="(?!#|/openapi\.json")[^"]*"', answer.text) == []


def test_every_answer_has_its_security_headers(client: httpx.Client) -> None:
    for path in ("/v2/webhooks", "/nowhere", "/docs", "/healthz"):
        answer = client.get(path)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["referrer-policy"] == "no-referrer"
        assert answer.headers["x-frame-options"] == "DENY"
        assert "default-src 'none'" in _policy(answer)
        assert "server" not in answer.headers
        assert not any(name.startswith("access-control") for name in answer.headers)


def test_what_is_answered_is_what_the_document_says(client: httpx.Client) -> None:
    document = client.get("/openapi.json").json()
    made = client.post(OF_HOME.format("identities"), json={"imageIds": [FACE_ID]}).json()
    for operation in OPERATIONS:
        path = operation.path.replace("{namespace}", "home").replace("{id}", made["id"])
        if operation.answered == JPEG or operation.id == "revokeToken":
            continue
        answer = client.request(operation.method, path, json=operation.example, params={"namespace": "home"})
        told = document["paths"][operation.path][operation.method.lower()]["responses"][
            str(answer.status_code)
        ]
        if "$ref" in told:
            told = document["components"]["responses"][told["$ref"].rpartition("/")[2]]
        schema = {**told["content"]["application/json"]["schema"], "components": document["components"]}
        jsonschema.Draft202012Validator(schema).validate(answer.json())


def test_a_request_leaves_one_line_without_its_query_token_or_body(
    client: httpx.Client, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    client.post("/v2/recognize?namespace=home", json={**IMAGES, "customId": "confidential"})
    client.get("/v2/nowhere%0A?secret=1")

    def lines() -> list[str]:
        ours = (record for record in caplog.records if record.name.startswith(("edged", "uvicorn")))
        return [record.getMessage() for record in ours]

    eventually(lambda: len(lines()) == 2, 10)
    assert re.fullmatch(rf"{CLIENT}: POST /v2/recognize 200, \d+ bytes, \d+ ms", lines()[0])
    assert re.fullmatch(r"127\.0\.0\.1: GET /v2/nowhere%0A 404, \d+ bytes, \d+ ms", lines()[1])
    assert not any(word in str(lines()) for word in (TOKEN, "confidential", "secret"))


def _policy(answer: httpx.Response) -> str:
    return str(answer.headers["content-security-policy"])
