"""The MQTT topics of sync. The authority writes those below `sync`, each node its own below `device`."""

from dataclasses import dataclass
from typing import Final

MANIFEST: Final = "manifest"
ALIVE: Final = "alive"
REPORT: Final = "report"
PROPOSAL: Final = "proposal"
JOIN: Final = "join"
GROUPS: Final = "groups"


@dataclass(frozen=True, slots=True)
class SyncTopics:
    """The topics of one namespace below one prefix."""

    prefix: str
    namespace: str

    @property
    def manifest(self) -> str:
        """Retained: the manifest in force."""
        return f"{self.prefix}/sync/{self.namespace}/{MANIFEST}"

    @property
    def alive(self) -> str:
        """Retained: that the manifest is still the one in force, and when that was said."""
        return f"{self.prefix}/sync/{self.namespace}/{ALIVE}"

    def page(self, sha256: str) -> str:
        """Retained: a sealed page, by the hash of its bytes."""
        return f"{self.prefix}/sync/{self.namespace}/page/{sha256}"

    def page_of(self, topic: str) -> str | None:
        """The hash that a page's topic names; None where it is none."""
        head, _, name = topic.rpartition("/")
        return name if head == f"{self.prefix}/sync/{self.namespace}/page" else None

    def member(self, node: str) -> str:
        """Retained: what the authority tells one node: that it is a member, the key for it, answers."""
        return f"{self.prefix}/sync/{self.namespace}/member/{node}"

    def report(self, node: str) -> str:
        """Retained: which epoch a node has applied, and what it lacks."""
        return self._of_node(node, REPORT)

    def proposal(self, node: str) -> str:
        """What a node wants changed."""
        return self._of_node(node, PROPOSAL)

    def join(self, node: str) -> str:
        """That a node wants to be a member."""
        return self._of_node(node, JOIN)

    def groups(self, node: str) -> str:
        """Retained: the groups of unknown people that a node shares."""
        return self._of_node(node, GROUPS)

    def node_of(self, topic: str) -> tuple[str, str] | None:
        """The node and the last level of a node's topic of this namespace; None where it is none."""
        head, _, what = topic.rpartition("/")
        before, after = f"{self.prefix}/device/", f"/sync/{self.namespace}"
        node = head.removeprefix(before).removesuffix(after)
        is_one = node and "/" not in node and head == f"{before}{node}{after}"
        return (node, what) if is_one else None

    def of_all_nodes(self, what: str) -> str:
        """The filter for a topic of every node."""
        return self._of_node("+", what)

    def _of_node(self, node: str, what: str) -> str:
        return f"{self.prefix}/device/{node}/sync/{self.namespace}/{what}"
