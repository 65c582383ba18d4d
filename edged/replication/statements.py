"""What nodes say to each other, each as the body of a signed statement. Keys and hashes are in hex."""

import hashlib
from collections.abc import Sequence
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from edged.replication.people import MOST_BUCKETS, PAGE_BYTES

# `$` would let a newline follow.
Hex32 = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
"""32 bytes: a hash or a public key."""
Signature = Annotated[str, Meta(pattern=r"^[0-9a-f]{128}\Z")]
NodeId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_.-]{1,64}\Z")]
Token = Annotated[str, Meta(pattern=r"^[0-9a-f]{0,32}\Z")]
StateWord = Annotated[str, Meta(pattern=r"^[a-z ]{1,32}\Z")]
Namespace = Annotated[str, Meta(max_length=128)]
Count = Annotated[int, Meta(ge=0, le=2**53)]
ANSWERS_KEPT: Final = 64
"""The authority tells each node what became of so many of its proposals; more than it can have under way."""
MOST_WAITING: Final = 64
"""So many proposals of one node wait for the owner, at the most."""
FIRST: Final = "0" * 64
"""What the first manifest names as the one before."""


class Spoken(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """Every statement says its namespace; what a newer edged adds is passed over."""

    namespace: Namespace


class PageEntry(msgspec.Struct, frozen=True, array_like=True):
    """One page of a manifest.

    Attributes:
        bucket, part: which; the parts of a bucket follow each other from 0.
        sha256: of the sealed page's bytes: its name.
        bytes: how many these are.
    """

    bucket: Annotated[int, Meta(ge=0, lt=MOST_BUCKETS)]
    part: Annotated[int, Meta(ge=0, lt=100_000)]
    sha256: Hex32
    bytes: Annotated[int, Meta(ge=1, le=PAGE_BYTES)]


class Handover(Spoken, frozen=True, kw_only=True):
    """The authority's word that another key speaks after an epoch; signed by `from_key`."""

    from_key: Hex32
    to_key: Hex32
    after_epoch: Count


class Manifest(Spoken, frozen=True, kw_only=True):
    """The whole state of a namespace: what every node is to hold, and nothing else.

    Attributes:
        epoch: counts up from 1.
        previous: SHA-256 of the payload of the manifest before; FIRST of the first.
        issued_at: UTC milliseconds.
        authority: the key that signs it.
        writer: the node that made it. Two nodes with one key are told apart by it.
        run: which start of that node's daemon; likewise.
        model: hash of the embedder that the vectors are of.
        key_generation: of the namespace's key that the pages are sealed with.
        buckets: into how many the people are cut; a power of two.
        pages: each page of each bucket, ordered by bucket and part.
        content: digest (`NamespaceKey.digest`) of all buckets' contents in their order, each hashed: what a
            node computes of its own database after it applied the manifest.
        identities, faces: how many there are.
        erased_epoch: the last epoch that took somebody out.
        proposals: what the authority does with what other nodes propose.
        has_chips: aligned crops are in the pages.
        shares_groups: groups of unknown people are shared between members.
        handovers: statements by which the authority came to this key, the oldest first, as they were sent.
        successor: the node and the key that speak from the next epoch on.
    """

    epoch: Annotated[int, Meta(ge=1, le=2**53)]
    previous: Hex32
    issued_at: Count
    authority: Hex32
    writer: NodeId
    run: Annotated[str, Meta(max_length=64)]
    model: Hex32
    key_generation: Annotated[int, Meta(ge=1, le=2**31)]
    buckets: Annotated[int, Meta(ge=1, le=MOST_BUCKETS)]
    pages: tuple[PageEntry, ...]
    content: Hex32
    identities: Count
    faces: Count
    erased_epoch: Count = 0
    proposals: Literal["auto", "ask"] = "auto"
    has_chips: bool = False
    shares_groups: bool = False
    handovers: tuple[str, ...] = ()
    successor: tuple[NodeId, Hex32] | None = None


class Alive(Spoken, frozen=True, kw_only=True):
    """The authority's word that a manifest is still in force. Its age is that of what a node knows."""

    epoch: Count
    manifest: Hex32
    at: Count


class Answer(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """What became of a node's proposal, by the number that the node gave it."""

    number: Count
    verdict: Literal["accepted", "refused", "waiting"]
    epoch: Count = 0
    """Of the first epoch with it, where it was accepted."""
    why: Annotated[str, Meta(max_length=300)] = ""
    token: Token = ""
    """The proposal's."""


class Succession(msgspec.Struct, frozen=True, array_like=True):
    """What the node that is to be the authority is told besides.

    Attributes:
        handover: the statement `Handover` to its key, as it was sent.
        members: of the others, the authority that gives over too: the name, and its node key, sealing key and
            authority key, one behind the other in base64.
        told_at: no member was told anything at a later time: what the successor tells them is later, whatever
            its clock says.
        removed: the same as `members` of those that were put out: who was away then is to be told still.
    """

    handover: str
    members: tuple[tuple[NodeId, Annotated[str, Meta(max_length=128)]], ...]
    told_at: Count = 0
    removed: tuple[tuple[NodeId, Annotated[str, Meta(max_length=128)]], ...] = ()


class Member(Spoken, frozen=True, kw_only=True):
    """What the authority tells one node.

    Attributes:
        node: whom.
        node_key, sealing_key, authority_key: the node's own, as the authority knows them.
        state: `removed` of a node that was put out: it forgets what it got.
        at: UTC milliseconds; of two the later one counts.
        key_generation, envelope: the namespace's key, sealed for the node, hex.
        answers: to its latest proposals, the oldest first.
        succession: given to the node that is to be the authority, before the manifest that says so.
    """

    node: NodeId
    node_key: Hex32
    sealing_key: Hex32
    authority_key: Hex32
    state: Literal["member", "removed"]
    at: Count
    key_generation: Count = 0
    envelope: Annotated[str, Meta(max_length=400)] = ""
    answers: tuple[Answer, ...] = ()
    succession: Succession | None = None


class Join(Spoken, frozen=True, kw_only=True):
    """A node asks to be a member. Signed by `node_key`, and by the invitation.

    Attributes:
        invitation: which: the SHA-256 of its secret, hex.
        proof: HMAC-SHA256 with the invitation's secret over the namespace, the node and its three keys, hex.
    """

    node: NodeId
    node_key: Hex32
    sealing_key: Hex32
    authority_key: Hex32
    model: Hex32
    at: Count
    invitation: Hex32
    proof: Hex32


class Report(Spoken, frozen=True, kw_only=True):
    """How far a node is. It is the node's receipt: who was not in `epoch` any more is gone from it.

    Attributes:
        epoch, manifest: applied last; 0 and FIRST before the first.
        swept_epoch: up to which log, snapshots and unsent messages were cleared of who was taken out.
        at: UTC milliseconds; of two the later one counts.
        state: `SyncState` of the node.
        missing: hashes of pages that it asked for and did not get, a few; or of the manifest in force.
        seen_epoch: the newest that it was told of.
        has_left: it leaves: its last word.
        report_every: it says so often how far it is where nothing changes, milliseconds; 0: not said.
        succeeds: `told_at` of the succession that it keeps: it is there, and ready to be the authority.
    """

    node: NodeId
    epoch: Count
    manifest: Hex32
    swept_epoch: Count
    at: Count
    state: StateWord
    seen_epoch: Count = 0
    missing: Annotated[tuple[Hex32, ...], Meta(max_length=64)] = ()
    model: Hex32 = FIRST
    version: Annotated[str, Meta(max_length=64)] = ""
    has_left: bool = False
    report_every: Count = 0
    succeeds: Count = 0


class Proposal(Spoken, frozen=True, kw_only=True):
    """A node wants a person changed. `number` counts up; one is sent again until it is answered.

    Attributes:
        token: chance, the same each time it is sent: the answer has it too.
        sealed: `Wanted` as MessagePack, sealed with the namespace's key of `key_generation`, base64.
    """

    node: NodeId
    number: Annotated[int, Meta(ge=1, le=2**53)]
    at: Count
    key_generation: Count
    sealed: str
    token: Token = ""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is wanted of one identity; what is None stays.

    Attributes:
        identity_id: whose.
        model: hash of the embedder of the new faces' vectors.
        remove: forget the person; nothing else counts then.
        created_ms: given of a person who is new.
        name, custom_id: the new ones; an empty custom_id takes it away.
        add_faces: MessagePack of `SharedFace`s.
        remove_faces: ids.
    """

    identity_id: str
    model: str
    remove: bool = False
    heir: str | None = None
    created_ms: int | None = None
    name: str | None = None
    custom_id: str | None = None
    add_faces: bytes = b""
    remove_faces: tuple[str, ...] = ()


def name_of(payload: bytes) -> str:
    """SHA-256 of a manifest's payload, in hex: what others know it by."""
    return hashlib.sha256(payload).hexdigest()


def proposal_place(namespace: str, node: str, number: int, authority: bytes, handovers: Sequence[str]) -> str:
    """What a sealed proposal is bound to: replayed to the next authority it does not open.

    Nor to the same one when it has the namespace back: `handovers` are those of the manifest in force.
    """
    reign = name_of(handovers[-1].encode()) if handovers else ""
    return f"{namespace}\0proposal\0{node}\0{number}\0{authority.hex()}\0{reign}"
