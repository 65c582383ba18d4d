import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.api.decoding import decode
from edged.api.problem import Code, Problem
from edged.api.requests import DetectRequest, IdentityImages, IdentityUpdate, RecognizeRequest, Search

PICTURE = {"url": "https://pictures.example/1.jpg"}


def refusal_of(body: object, kind: type = RecognizeRequest) -> Problem:
    encoded = body if isinstance(body, bytes) else msgspec.json.encode(body)
    with pytest.raises(Problem) as caught:
        decode(encoded, kind)
    assert caught.value.code is Code.MALFORMED
    return caught.value


def test_a_good_body_becomes_its_value_and_fields_that_nobody_knows_are_passed_over():
    body = {"images": [PICTURE, {"blob": "aGVsbG8="}], "customId": "7", "somebodyElses": {"a": [1]}}
    request = decode(msgspec.json.encode(body), RecognizeRequest)
    assert request.images[0].url == PICTURE["url"]
    assert request.images[1].blob == b"hello"
    assert request.custom_id == "7"


@pytest.mark.parametrize(
    ("body", "kind", "field"),
    [
        ({"images": [{"url": 5}]}, RecognizeRequest, "images[0].url"),
        ({"images": [PICTURE, {"blob": "%%"}]}, RecognizeRequest, "images[1].blob"),
        ({"images": [{"url": "u" * 513}]}, RecognizeRequest, "images[0].url"),
        ({"images": []}, RecognizeRequest, "images"),
        ({"images": [PICTURE] * 65}, RecognizeRequest, "images"),
        ({"images": [PICTURE], "customId": "c" * 65}, RecognizeRequest, "customId"),
        ({"images": [{}]}, RecognizeRequest, "images[0]"),
        ({"images": [PICTURE | {"blob": "aGVsbG8="}]}, RecognizeRequest, "images[0]"),
        ({"images": [{"blob": ""}]}, RecognizeRequest, "images[0].blob"),
        ({"images": [{}], "classes": [{"class": "face"}]}, DetectRequest, "images[0]"),
        (
            {"images": [PICTURE], "classes": [{"class": "face", "exclusionZones": {"size": 5, "zones": []}}]},
            DetectRequest,
            "classes[0].exclusionZones.size",
        ),
        ({"images": {"add": ["a", "b", "a"]}}, IdentityUpdate, "images.add[2]"),
        ({"images": {"remove": ["a", "a"]}}, IdentityUpdate, "images.remove[1]"),
        ({"limit": 101}, Search, "limit"),
        (b'{"start": 1e999}', Search, "start"),
        ({"images": [{"url": "a\0b"}]}, RecognizeRequest, "images[0].url"),
        ({"feedIds": ["door", "\0"]}, Search, "feedIds[1]"),
    ],
)
def test_what_is_wrong_is_named_by_its_path_as_the_body_spells_it(body, kind, field):
    problem = refusal_of(body, kind)
    assert problem.field == field
    assert f"`{field}`" in problem.message


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'{"images": [{"url": "a"}]} {}',
        b'{"images": [{"url": "\xff"}]}',
        b'{"images": [{"url": "a"}], "nobody looks at it": "\xed\xa0\x80"}',
        b'{"images": [{"url": "\\ud800"}]}',
        b'{"images": [{"url": "x\\udc00x"}]}',
        b'{"images": [{"url": "a"}], "deep": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"deep": ' + b'{"a":' * 100_000,
        '{"images": [{"url": "a"}]}'.encode("utf-16"),
        b'\xef\xbb\xbf{"images": [{"url": "a"}]}',
    ],
)
def test_a_body_that_is_wrong_as_a_whole_is_refused_without_a_field(body):
    assert refusal_of(body).field is None


def test_a_missing_field_is_named_in_the_message():
    assert "`images`" in refusal_of({}).message


def test_the_types_in_messages_are_those_of_json():
    assert refusal_of({"images": [{"url": 5}]}).message == (
        "`images[0].url`: expected `string | null`, got `integer`"
    )


def test_null_asks_for_resources_without_a_feed_and_is_told_from_what_is_left_out():
    search = decode(b'{"feedIds": null}', Search)
    assert search.feed_ids is None
    assert search.custom_ids is msgspec.UNSET


def test_an_identity_may_lose_the_face_that_it_is_given():
    # What comes of it is for whoever changes the identity; the lists alone are sound.
    body = b'{"images": {"add": ["a"], "remove": ["a"]}}'
    assert decode(body, IdentityUpdate).images == IdentityImages(add=("a",), remove=("a",))


def assert_malformed(problem: Problem) -> None:
    assert problem.status == 400
    assert msgspec.json.decode(problem.body())["error"]["code"] == "MALFORMED_REQUEST"


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_whatever_comes_is_a_value_or_a_refusal(body):
    try:
        decode(body, RecognizeRequest)
    except Problem as problem:
        assert_malformed(problem)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["images", "customId", "feedId", "webhookUrl"]), JSON))
def test_whatever_stands_in_a_field_is_a_value_or_a_refusal(body):
    try:
        decode(msgspec.json.encode(body), RecognizeRequest)
    except Problem as problem:
        assert_malformed(problem)
