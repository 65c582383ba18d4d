"""What a member believes of the authority's smaller statements."""

from dataclasses import dataclass

from edged.replication.refusal import Refusal, RefusedError
from edged.replication.statement import StatementKind, taken_apart
from edged.replication.statements import Alive, Member


@dataclass(frozen=True, slots=True)
class Listener:
    """Who listens, and to whom.

    Attributes:
        namespace: which.
        authority: the key that is believed, 32 bytes.
        node, node_key: the member, and its public key in hex.
        told_ms: the time of what was believed last of what it was told alone.
    """

    namespace: str
    authority: bytes
    node: str
    node_key: str
    told_ms: int


def alive_heard(payload: bytes, listener: Listener) -> Alive:
    """That a manifest is in force; raises RefusedError for what the authority did not say."""
    statement = taken_apart(StatementKind.ALIVE, payload)
    statement.require(listener.authority)
    said = statement.body(Alive)
    _require_own(said.namespace, listener, statement.words)
    return said


def member_heard(payload: bytes, listener: Listener) -> Member:
    """What the authority tells this member; raises RefusedError for what is another's, or was said before."""
    statement = taken_apart(StatementKind.MEMBER, payload)
    statement.require(listener.authority)
    told = statement.body(Member)
    _require_own(told.namespace, listener, statement.words)
    if told.node != listener.node or told.node_key != listener.node_key:
        raise RefusedError(Refusal.STRANGER, "what the authority says is for another node")
    if told.at < listener.told_ms:
        raise RefusedError(Refusal.OLD, "what the authority said earlier came again")
    return told


def _require_own(namespace: str, listener: Listener, words: str) -> None:
    if namespace != listener.namespace:
        raise RefusedError(Refusal.OTHER_NAMESPACE, f"{words} is of another namespace")
