import hashlib
import os
import stat

import pytest

from edged.domain.errors import StoreError
from edged.sync.shelf import Shelf

GRACE_MS = 600_000


def named(content):
    return hashlib.sha256(content).hexdigest()


def put(shelf, *contents):
    for content in contents:
        shelf.put(named(content), content)
    return [named(content) for content in contents]


def test_a_page_lies_under_its_namespace_and_hash_where_a_web_server_can_read_it(tmp_path):
    before = os.umask(0o077)
    try:
        (name,) = put(Shelf(tmp_path / "www", "home", GRACE_MS), b"sealed")
    finally:
        os.umask(before)
    page = tmp_path / "www" / "home" / name
    assert page.read_bytes() == b"sealed"
    assert stat.S_IMODE(page.stat().st_mode) == 0o644
    assert (
        stat.S_IMODE(page.parent.stat().st_mode) == stat.S_IMODE(page.parent.parent.stat().st_mode) == 0o755
    )


def test_a_page_that_was_cut_short_is_written_anew_and_a_whole_one_left_alone(tmp_path):
    shelf = Shelf(tmp_path, "home", GRACE_MS)
    (name,) = put(shelf, b"sealed")
    page = tmp_path / "home" / name
    first = page.stat().st_ino
    shelf.put(name, b"sealed")
    assert page.stat().st_ino == first
    page.write_bytes(b"sea")
    shelf.put(name, b"sealed")
    assert page.read_bytes() == b"sealed"


def test_what_is_listed_no_more_goes_after_the_grace_and_not_before(tmp_path):
    shelf = Shelf(tmp_path, "home", GRACE_MS)
    old, kept = put(shelf, b"old", b"kept")
    (tmp_path / "home" / f"{'a' * 64}.partial").write_bytes(b"of a start before")
    (tmp_path / "home" / "index.html").write_text("the owner's")
    for now_ms in (0, GRACE_MS - 1):
        shelf.keep_only(frozenset({kept}), now_ms)
        assert (tmp_path / "home" / old).exists()
    shelf.keep_only(frozenset({kept}), GRACE_MS)
    assert {path.name for path in (tmp_path / "home").iterdir()} == {kept, "index.html"}


def test_a_page_that_is_listed_again_has_its_whole_grace_anew(tmp_path):
    shelf = Shelf(tmp_path, "home", GRACE_MS)
    (name,) = put(shelf, b"comes back")
    shelf.keep_only(frozenset(), 0)
    shelf.keep_only(frozenset({name}), GRACE_MS)
    shelf.keep_only(frozenset(), GRACE_MS)
    shelf.keep_only(frozenset(), 2 * GRACE_MS - 1)
    assert (tmp_path / "home" / name).exists()


def test_nothing_is_kept_only_in_a_folder_that_is_not_there(tmp_path):
    Shelf(tmp_path / "none", "home", GRACE_MS).keep_only(frozenset(), 0)
    assert not (tmp_path / "none").exists()


def test_the_manifest_lies_beside_the_pages_and_stays(tmp_path):
    shelf = Shelf(tmp_path, "home", 0)
    shelf.show_manifest(b"first")
    shelf.show_manifest(b"second")
    shelf.keep_only(frozenset(), 1)
    assert (tmp_path / "home" / "manifest").read_bytes() == b"second"


def test_a_link_in_the_place_of_what_is_being_written_is_not_followed(tmp_path):
    shelf = Shelf(tmp_path / "www", "home", GRACE_MS)
    put(shelf, b"another")
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / "www" / "home" / f"{named(b'sealed')}.partial").symlink_to(victim)
    with pytest.raises(StoreError):
        put(shelf, b"sealed")
    assert victim.read_text() == "precious"


def test_a_folder_that_cannot_be_made_is_told_with_what_to_do(tmp_path):
    (tmp_path / "www").write_text("a file")
    with pytest.raises(StoreError, match="pages cannot be written") as caught:
        put(Shelf(tmp_path / "www", "home", GRACE_MS), b"sealed")
    assert "sync.export" in caught.value.remedy
