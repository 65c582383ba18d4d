"""Basic and Digest, as a client answers them."""

import hashlib

from edged.camera.credentials import Credentials
from edged.camera.rtsp_auth import authorization

MUFASA = Credentials("Mufasa", "Circle of Life")
# RFC 7616, section 3.9.1
NONCE = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
CNONCE = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
FIELDS = f'realm="http-auth@example.org", qop="auth, auth-int", nonce="{NONCE}", opaque="FQhe"'


def test_the_example_of_the_standard_for_md5():
    answer = authorization([f"Digest {FIELDS}, algorithm=MD5"], MUFASA, "GET", "/dir/index.html", CNONCE)

    assert answer is not None
    assert 'response="8ca523f5e9506fed4657c9700eebdbec"' in answer
    assert 'opaque="FQhe"' in answer


def test_the_example_of_the_standard_for_sha_256_which_is_preferred():
    challenges = [f"Digest {FIELDS}, algorithm=MD5", f"Digest {FIELDS}, algorithm=SHA-256"]
    answer = authorization(challenges, MUFASA, "GET", "/dir/index.html", CNONCE)

    assert answer is not None
    assert 'response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"' in answer


def test_a_challenge_without_quality_of_protection_is_answered_as_of_old():
    answer = authorization(['Digest realm="r", nonce="n"'], MUFASA, "DESCRIBE", "rtsp://h/live", "c")

    def md5(text: str) -> str:
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    wanted = md5(f"{md5('Mufasa:r:Circle of Life')}:n:{md5('DESCRIBE:rtsp://h/live')}")
    assert answer is not None
    assert f'response="{wanted}"' in answer
    assert "cnonce" not in answer


def test_digest_is_preferred_to_basic():
    answer = authorization(
        ['Basic realm="r"', 'Digest realm="r", nonce="n"'], MUFASA, "DESCRIBE", "rtsp://h", "c"
    )

    assert answer is not None
    assert answer.startswith("Digest ")


def test_basic_is_answered_where_there_is_nothing_better():
    assert authorization(
        ['Basic realm="r"'], Credentials("Aladdin", "open sesame"), "DESCRIBE", "rtsp://h", "c"
    ) == ("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")


def test_an_unknown_scheme_has_no_answer():
    assert (
        authorization(["Negotiate", 'Digest realm="r", nonce="n", algorithm=X'], MUFASA, "X", "rtsp://h", "c")
        is None
    )


def test_credentials_do_not_print_themselves():
    assert "Circle" not in repr(MUFASA) + str(MUFASA) + f"{MUFASA}"
