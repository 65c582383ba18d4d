"""The access lists of docs/sync.md: mosquitto's on a real mosquitto, and EMQX's, which is to say the same."""

import re
import subprocess

import pytest

from bench.checkout import ROOT
from bench.mosquitto import IS_INSTALLED, WHY_NOT, Mosquitto, Subscriber
from edged.delivery.topics import Topics
from edged.replication.topics import SyncTopics

PAGE = (ROOT / "docs" / "sync.md").read_text("utf-8")
SYNC = SyncTopics("edged", "home")
OF_THE_AUTHORITY = [SYNC.manifest, SYNC.alive, SYNC.page("a" * 64), SYNC.member("back")]
OF_CAMERAS = ["edged/home/door/job", "edged/home/door/presence", "homeassistant/device/x/config"]
END = "test/end"
NODES = ("front", "back", "porch")


def own(node):
    """What a node says of itself."""
    topics = Topics("edged", node)
    return [SYNC.report(node), SYNC.proposal(node), SYNC.join(node), SYNC.groups(node), topics.status]


def switch(node):
    return Topics("edged", node).feed_switch("door")


REQUESTS = Topics("edged", "front").requests("home")
EVERYTHING = [
    *OF_THE_AUTHORITY,
    *OF_CAMERAS,
    REQUESTS,
    *(topic for node in NODES for topic in [*own(node), switch(node)]),
]


def may_write(user, topic):
    """Whether it is to be let: what docs/sync.md says in words."""
    below_own = topic.startswith(f"edged/device/{user}/")
    of_cameras = topic.startswith(("edged/home/", "homeassistant/"))
    return below_own or of_cameras or (user == "front" and topic.startswith("edged/sync/"))


def may_read(user, topic):
    """The same of reading: sync, what is its own, groups, what it is asked; the authority, nodes' sync."""
    of_nodes = [SYNC.groups(node) for node in NODES]
    of_members = [topic for node in NODES for topic in own(node)[:4]]
    return (
        topic.startswith(("edged/sync/", "homeassistant/", f"edged/device/{user}/"))
        or topic == REQUESTS
        or topic in (of_members if user == "front" else of_nodes)
    )


@pytest.fixture(scope="module")
def broker():
    found = re.search(r"^```acl\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    users = {"front": "f", "back": "b", "porch": "p", "tester": "t"}
    # The tester hears and says everything, and marks the end of what is to be heard.
    acl = [*found[1].splitlines(), "user tester", "topic readwrite #"]
    for user in NODES:
        acl += [f"user {user}", "topic readwrite test/#"]
    with Mosquitto(users=users, acl=acl, persistence=False) as running:
        yield running


def publish(broker, user, topic):
    access = ["-h", broker.host, "-p", str(broker.port), "-u", user, "-P", broker.users[user]]
    command = ["mosquitto_pub", *access, "-q", "1", "-t", topic, "-m", user]
    subprocess.run(command, check=True, timeout=20)


def heard_by(broker, listener, author):
    """Topics that a listener hears while somebody says something on each."""
    with Subscriber(broker, "edged/#", "homeassistant/#", END, user=listener) as ears:
        for topic in EVERYTHING:
            publish(broker, author, topic)
        publish(broker, "tester", END)
        ears.wait_for(1, END)
        return {one.topic for one in ears.heard if one.topic != END}


@pytest.mark.skipif(not IS_INSTALLED, reason=WHY_NOT)
@pytest.mark.parametrize("user", ["front", "back"])
def test_each_node_is_heard_on_the_topics_that_the_page_lets_it_write_and_on_no_other(broker, user):
    assert heard_by(broker, "tester", user) == {topic for topic in EVERYTHING if may_write(user, topic)}


@pytest.mark.skipif(not IS_INSTALLED, reason=WHY_NOT)
@pytest.mark.parametrize("user", ["front", "back"])
def test_each_node_hears_the_topics_that_the_page_lets_it_read_and_no_other(broker, user):
    assert heard_by(broker, user, "tester") == {topic for topic in EVERYTHING if may_read(user, topic)}


# --- EMQX: what its rules say by its own page, the first that matches counts

RULE = re.compile(r'^\{(allow|deny), (all|\{user, "(\w+)"\}), (all|publish|subscribe), \[(.*)\]\}\.$')


def emqx_rules():
    found = re.search(r"^```erlang\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    lines = [line for line in found[1].splitlines() if not line.startswith("%%")]
    assert lines.pop() == "{deny, all}."
    return [RULE.fullmatch(line).groups() for line in lines]


def emqx_lets(user, action, topic):
    for word, _, who, what, patterns in emqx_rules():
        filters = re.findall(r'"([^"]*)"', patterns.replace("${username}", user))
        if who in (None, user) and what in ("all", action) and any(matches(topic, one) for one in filters):
            return word == "allow"
    return False


def matches(topic, pattern):
    """Whether a filter takes a topic, or a filter that somebody subscribes to."""
    levels, wanted = topic.split("/"), pattern.split("/")
    if wanted[-1] == "#":
        levels, wanted = levels[: len(wanted) - 1], wanted[:-1]
    return len(levels) == len(wanted) and all(b in ("+", a) for a, b in zip(levels, wanted, strict=True))


@pytest.mark.parametrize("user", ["front", "back"])
def test_the_list_for_emqx_lets_each_node_do_the_same(user):
    for topic in EVERYTHING:
        assert emqx_lets(user, "publish", topic) == may_write(user, topic), topic
        assert emqx_lets(user, "subscribe", topic) == may_read(user, topic), topic


def test_the_list_for_emqx_takes_the_filters_that_nodes_subscribe_to():
    for what in ("report", "proposal", "join"):
        assert emqx_lets("front", "subscribe", SYNC.of_all_nodes(what))
        assert not emqx_lets("back", "subscribe", SYNC.of_all_nodes(what))
    assert emqx_lets("back", "subscribe", SYNC.of_all_nodes("groups"))
    assert not emqx_lets("back", "subscribe", "edged/#")
