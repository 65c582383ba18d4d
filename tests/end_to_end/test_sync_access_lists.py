"""The access list that docs/sync.md gives for mosquitto, on a real mosquitto."""

import re
import subprocess

import pytest

from bench.checkout import ROOT
from bench.mosquitto import IS_INSTALLED, WHY_NOT, Mosquitto, Subscriber
from edged.replication.topics import SyncTopics

pytestmark = pytest.mark.skipif(not IS_INSTALLED, reason=WHY_NOT)

PAGE = (ROOT / "docs" / "sync.md").read_text("utf-8")
SYNC = SyncTopics("edged", "home")
OF_THE_AUTHORITY = [SYNC.manifest, SYNC.alive, SYNC.page("a" * 64), SYNC.member("back")]


def of_node(node):
    return [SYNC.report(node), SYNC.proposal(node), SYNC.join(node), SYNC.groups(node)]


@pytest.fixture
def broker():
    found = re.search(r"^```acl\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    users = {"front": "f", "back": "b", "porch": "p", "tester": "t"}
    # The tester hears everything, and marks the end of what it is to hear.
    acl = [*found[1].splitlines(), "user tester", "topic readwrite #"]
    for user in ("front", "back", "porch"):
        acl += [f"user {user}", "topic readwrite test/ready/#"]
    with Mosquitto(users=users, acl=acl, persistence=False) as running:
        yield running


def publish(broker, user, topic):
    access = ["-h", broker.host, "-p", str(broker.port), "-u", user, "-P", broker.users[user]]
    command = ["mosquitto_pub", *access, "-q", "1", "-t", topic, "-m", user]
    subprocess.run(command, check=True, timeout=20)


def heard_by(broker, listener, said):
    """Topics that a listener hears of what users say, each (user, topic)."""
    with Subscriber(broker, "edged/sync/#", "edged/device/+/sync/#", "test/end", user=listener) as ears:
        for user, topic in said:
            publish(broker, user, topic)
        publish(broker, "tester", SYNC.member("end"))
        ears.wait_for(1, "member/end")
        return [one.topic for one in ears.heard if not one.topic.endswith("member/end")]


def test_the_authority_is_heard_by_a_member(broker):
    said = [("front", topic) for topic in OF_THE_AUTHORITY]

    assert heard_by(broker, "back", said) == OF_THE_AUTHORITY


def test_a_member_is_heard_by_the_authority(broker):
    said = [("back", topic) for topic in of_node("back")]

    assert heard_by(broker, "front", said) == of_node("back")


def test_a_member_writes_neither_below_sync_nor_for_another_node(broker):
    said = [("back", topic) for topic in [*OF_THE_AUTHORITY, *of_node("porch")]]

    assert heard_by(broker, "tester", said) == []
