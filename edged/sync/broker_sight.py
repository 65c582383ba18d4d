"""How a namespace stands, with what only its connection to the broker knows."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from edged.domain.sync_state import NamespaceSync, SyncState

_OFFLINE_OF: Final = (SyncState.IN_STEP, SyncState.BEHIND, SyncState.WAITING, SyncState.OFFLINE)
"""States that are not true any more without a connection."""


@dataclass(frozen=True, slots=True)
class BrokerSight:
    """What is to be seen of the broker; every word is empty where there is nothing to say.

    Attributes:
        trouble: why there is no connection; empty where there is one.
        is_unfit: this broker cannot carry the sync.
        refusal: what it does not let this namespace write or read.
        remark: what is wrong though it lets us in.
        unread: messages that did not get as far as the namespace, by what was wrong.
    """

    trouble: str
    is_unfit: bool
    refusal: str
    remark: str
    unread: Mapping[str, int] = field(default_factory=dict)


def seen(standing: NamespaceSync, sight: BrokerSight) -> NamespaceSync:
    """The standing of a namespace at this broker."""
    if sight.trouble:
        if standing.state in _OFFLINE_OF:
            state = SyncState.FAULTY if sight.is_unfit else SyncState.OFFLINE
            standing = replace(standing, state=state, trouble=sight.trouble)
    elif sight.refusal and not standing.trouble:
        standing = replace(standing, state=SyncState.FAULTY, trouble=sight.refusal)
    if sight.unread:
        standing = replace(standing, refused=dict(Counter(standing.refused) + Counter(sight.unread)))
    if not sight.remark or sight.remark in standing.trouble:
        return standing
    words = "; ".join(words for words in (standing.trouble, sight.remark) if words)
    return replace(standing, trouble=words)
