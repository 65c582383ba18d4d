"""The topics of sync."""

import pytest

from edged.replication.topics import JOIN, PROPOSAL, REPORT, SyncTopics

TOPICS = SyncTopics("edged", "home")


def test_the_authority_writes_below_sync_and_nodes_below_their_own_name() -> None:
    for topic in (TOPICS.manifest, TOPICS.alive, TOPICS.page("ab" * 32), TOPICS.member("door")):
        assert topic.startswith("edged/sync/home/")
    for topic in (TOPICS.report("door"), TOPICS.proposal("door"), TOPICS.join("door"), TOPICS.groups("door")):
        assert topic.startswith("edged/device/door/sync/home/")


def test_a_page_is_known_by_its_topic() -> None:
    assert TOPICS.page_of(TOPICS.page("ab")) == "ab"
    assert TOPICS.page_of(TOPICS.manifest) is None
    assert TOPICS.page_of(SyncTopics("edged", "office").page("ab")) is None


def test_a_node_is_known_by_its_topics() -> None:
    assert TOPICS.node_of(TOPICS.report("front.door")) == ("front.door", REPORT)
    assert TOPICS.node_of(TOPICS.join("a")) == ("a", JOIN)
    assert TOPICS.node_of(TOPICS.proposal("sync")) == ("sync", PROPOSAL)


@pytest.mark.parametrize(
    "topic",
    [
        "",
        "edged/device/door/sync/office/report",
        "edged/device/door/sync/home",
        "edged/device//sync/home/report",
        "edged/device/a/b/sync/home/report",
        "other/device/door/sync/home/report",
        "edged/device/door/sync/home/report/more",
        "edged/device/sync/home/report",
    ],
)
def test_no_other_topic_is_a_nodes(topic: str) -> None:
    found = TOPICS.node_of(topic)
    assert found is None or TOPICS.report(found[0]) != topic
