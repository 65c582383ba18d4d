"""The commands of `edged sync` on nodes that run, over a real mosquitto with the page's access lists."""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from bench.checkout import ROOT
from bench.mosquitto import IS_INSTALLED, WHY_NOT, Mosquitto, eventually
from builders.houses import CommandedHouse
from edged.domain.sync_state import SyncRole, SyncState

pytestmark = pytest.mark.skipif(not IS_INSTALLED, reason=WHY_NOT)


def access_lists() -> list[str]:
    """Of docs/sync.md; `back`, to which the authority is to move, has the lines of `front` too."""
    page = (ROOT / "docs" / "sync.md").read_text("utf-8")
    found = re.search(r"^```acl\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    assert found is not None
    of_authority, of_all = found[1].split("\n\n", 1)
    return [*of_authority.splitlines(), *of_authority.replace("user front", "user back").splitlines(), of_all]


@pytest.fixture
def houses(tmp_path) -> Iterator[tuple[CommandedHouse, CommandedHouse, CommandedHouse]]:
    """`front` is the authority, `back` and `porch` follow it; Ada is enrolled."""
    users = {"front": "f-password", "back": "b-password", "porch": "p-password"}
    with ExitStack() as stack:
        broker = stack.enter_context(Mosquitto(users=users, acl=access_lists(), persistence=False))
        front = CommandedHouse(tmp_path / "front", "front", broker, proposals="ask")
        back = CommandedHouse(tmp_path / "back", "back", broker)
        porch = CommandedHouse(tmp_path / "porch", "porch", broker)
        for each in (front, back, porch):
            stack.callback(each.stop)
        front.sync("init")
        front.enrol("Ada", 1)
        front.start()
        code = front.sync("invite", "--uses", "2").out.strip()
        # One with a daemon that runs, one without.
        assert "joined home: 1 person" in back.start().sync("join", code).out
        assert "joined home: 1 person" in porch.sync("join", code).out
        porch.start()
        eventually(lambda: front.is_followed_by("back", "porch"), "both to report")
        yield front, back, porch


def test_the_authority_moves_while_a_proposal_waits_and_a_member_is_away(houses):
    front, back, porch = houses
    porch.enrol("Cy", 3)
    eventually(lambda: front.status()["waitingProposals"] == 1, "the owner to be asked")
    assert "enrol Cy" in front.sync("proposals", "list").out
    assert porch.recognised() == ["Ada"]
    (waiting,) = json.loads(front.sync("proposals", "list", "--json").out)
    front.sync("proposals", "accept", "porch", str(waiting["number"]))
    eventually(lambda: porch.recognised() == ["Ada", "Cy"], "the face to be used")
    back.enrol("Bob", 2)
    eventually(lambda: front.status()["waitingProposals"] == 1, "the owner to be asked again")
    porch.stop()

    eventually(lambda: front.edged("sync", "promote", "back", "--yes").code == 0, "back to be in step")
    eventually(lambda: back.is_as(SyncRole.AUTHORITY), "back to lead")
    front.enrol("Dan", 4)
    eventually(lambda: back.names() == ["Ada", "Bob", "Cy", "Dan"], "what waited, and a proposal of front")
    porch.start()
    eventually(lambda: porch.names() == ["Ada", "Bob", "Cy", "Dan"], "porch to follow the new authority")
    said = front.edged("sync", "rotate")
    assert said.code == 1
    assert "The authority is `back`" in said.err


def test_a_node_is_put_out_and_comes_back_and_another_leaves(houses):
    front, back, porch = houses
    assert front.edged("sync", "leave", "--yes").code == 1
    front.sync("remove", "porch", "--yes")
    eventually(lambda: porch.is_as(SyncRole.REMOVED, SyncState.REMOVED), "porch to say that it was put out")
    front.enrol("Eve", 5)
    eventually(lambda: back.names() == ["Ada", "Eve"], "back to have what came after")
    said = porch.edged("sync", "status")
    assert said.code == 1
    assert "this node was put out" in said.out
    assert porch.names() == ["Ada"]

    used = front.sync("invite").out.strip()
    assert "joined home: 2 people" in porch.sync("join", used).out
    assert porch.edged("sync", "join", used).code == 1
    assert back.sync("leave", "--yes").out.startswith("the authority is told")
    eventually(lambda: back.row is None, "back to leave")
    eventually(lambda: front.is_followed_by("porch"), "front to hear of it")
    assert back.names() == ["Ada", "Eve"]
