import base64
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from edged.delivery.signature import hook_key, signing_key, webhook_headers, webhook_id
from edged.domain.message import Message, MessageKind

NOW_S = 1_790_000_000


@pytest.mark.parametrize(
    ("secret", "key"),
    [
        ("whsec_" + base64.b64encode(b"a key of bytes").decode(), b"a key of bytes"),
        ("a key of words", b"a key of words"),
        ("YSBrZXkgb2YgYnl0ZXM=", b"YSBrZXkgb2YgYnl0ZXM="),
        ("whsec_no base64", b"whsec_no base64"),
        ("schlüssel", "schlüssel".encode()),
    ],
)
def test_the_secret_of_a_client_is_base64_with_its_prefix_and_else_its_bytes(secret, key):
    assert hook_key(secret) == key


@given(key=st.binary(min_size=8, max_size=64), value=st.text())
def test_the_specifications_own_library_makes_the_same_signature(key, value):
    secret = "whsec_" + base64.b64encode(key).decode()
    body = json.dumps(value)
    headers = webhook_headers("msg-1", NOW_S, body.encode(), signing_key(secret))
    expected = Webhook(secret).sign("msg-1", datetime.fromtimestamp(NOW_S, UTC), body)
    assert headers["webhook-signature"] == expected


def test_the_known_answer_of_the_specifications_libraries():
    key = signing_key("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    headers = webhook_headers("msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}', key)
    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_!!!", "whsec_AAAA", "ünïcode", "whsec_AAAAA"])
def test_a_secret_that_is_none_is_refused_without_being_told(secret):
    with pytest.raises(ValueError, match="the secret is") as caught:
        signing_key(secret)
    assert caught.value.__cause__ is None
    assert not secret.removeprefix("whsec_") or secret.removeprefix("whsec_") not in str(caught.value)


def test_without_a_key_nothing_is_signed():
    assert set(webhook_headers("a", 1, b"", None)) == {"webhook-id", "webhook-timestamp"}


def test_the_id_is_the_same_for_every_try_and_another_for_every_update():
    def a_message(kind=MessageKind.JOB, sequence=1, at_ms=5, subject="a"):
        return Message(kind, "home", "door.1", subject, sequence, is_final=True, body=b"", at_ms=at_ms)

    messages = [
        a_message(),
        a_message(sequence=2),
        a_message(subject="b"),
        a_message(MessageKind.PRESENCE, subject="door.1"),
        a_message(MessageKind.PRESENCE, subject="door.1", at_ms=6),
    ]
    ids = [webhook_id(message) for message in messages]
    assert len(set(ids)) == len(ids)
    assert ids == [webhook_id(message) for message in messages]
    assert not any("." in one for one in ids)
