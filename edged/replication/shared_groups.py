"""Groups of unknown people as one node shares them with the others of a namespace.

What is sent is a line that says what it is, the generation of the namespace's key (4 bytes, big-endian), and
the groups as MessagePack, sealed with that key for this node's place. So whoever is not a member reads and
forges nothing; a member could write in another's name, which the broker's access lists keep it from. No face
is in it, and no picture: of each group the one mean that it is known by, in half precision.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal

import msgspec
import numpy as np
from msgspec import Meta

from edged.domain.face import Embedding
from edged.replication.keys import SEALING_OVERHEAD_BYTES, NamespaceKey
from edged.replication.refusal import Refusal, RefusedError

MOST_GROUPS_BYTES: Final = 256_000
"""Of a payload."""
MOST_FATES: Final = 1000
MOST_VISITS: Final = 1_000_000
_HEAD: Final = b"edged sync groups 1\n"
_GENERATION_BYTES: Final = 4
_BESIDE_BYTES: Final = len(_HEAD) + _GENERATION_BYTES + SEALING_OVERHEAD_BYTES
_ROOM_BYTES: Final = 200
"""For what is said once: the time, the model, the lengths of lists."""
_HALF: Final = np.dtype("<f2")
_TOLERANCE: Final = 0.01
"""Half precision leaves a unit vector of up to 4,096 numbers well within this."""

_Id = Annotated[bytes, Meta(min_length=16, max_length=16)]
_Time = Annotated[int, Meta(ge=0, le=2**53)]


class SharedGroup(msgspec.Struct, frozen=True, array_like=True):
    """A group as it is sent.

    Attributes:
        id: 16 bytes of the UUID.
        first_seen_ms, last_seen_ms: of the person, in the feeds' time, UTC milliseconds.
        visits: how often they came, as far as the node knows.
        kept_ms: when the node's daemon wrote to it last; retention goes by it.
        effective: how many independent faces are behind the mean.
        vector: the mean, little-endian float16, unit length.
    """

    id: _Id
    first_seen_ms: _Time
    last_seen_ms: _Time
    visits: Annotated[int, Meta(ge=1, le=MOST_VISITS)]
    kept_ms: _Time
    effective: Annotated[float, Meta(ge=1, le=1e6)]
    vector: Annotated[bytes, Meta(min_length=32, max_length=8192)]


class SharedFate(msgspec.Struct, frozen=True, array_like=True):
    """What somebody made of a group.

    Attributes:
        id: 16 bytes of the UUID.
        fate: what.
        heir: of one that was named the identity, of one that was merged the group; else None.
        at_ms: when that was told first, UTC milliseconds.
    """

    id: _Id
    fate: Literal["forgotten", "named", "merged"]
    heir: _Id | None
    at_ms: _Time


class SharedGroups(msgspec.Struct, frozen=True, array_like=True):
    """All that one node shares: the place of what it shared before.

    Attributes:
        at_ms: UTC milliseconds; of two the later one counts.
        model: hash of the embedder that the means are of, hex.
        groups: those written to last first.
        fates: the latest first.
        left_out: how many groups there was no room for.
    """

    at_ms: _Time
    model: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
    groups: tuple[SharedGroup, ...]
    fates: Annotated[tuple[SharedFate, ...], Meta(max_length=MOST_FATES)] = ()
    left_out: Annotated[int, Meta(ge=0, le=2**31)] = 0


@dataclass(frozen=True, slots=True)
class Said:
    """Groups on their way: what is sent, how many are in it, how many there was no room for."""

    payload: bytes
    groups: int
    left_out: int


_DECODER: Final = msgspec.msgpack.Decoder(SharedGroups)


def groups_place(namespace: str, node: str) -> str:
    """What sealed groups are bound to."""
    return f"{namespace}\0groups\0{node}"


def said(
    groups: Sequence[SharedGroup],
    fates: Sequence[SharedFate],
    *,
    at_ms: int,
    model: str,
    key: NamespaceKey,
    place: str,
    most_bytes: int = MOST_GROUPS_BYTES,
) -> Said:
    """What a node sends of its groups, the latest first: as many as fit into so many bytes, fates before."""
    room = min(most_bytes, MOST_GROUPS_BYTES) - _BESIDE_BYTES - _ROOM_BYTES
    told = fates[: _fitting(fates[:MOST_FATES], room)]
    room -= sum(map(_size, told))
    fitting = groups[: _fitting(groups, room)]
    left_out = len(groups) - len(fitting)
    body = SharedGroups(at_ms, model, tuple(fitting), tuple(told), left_out)
    sealed = key.seal(msgspec.msgpack.encode(body), place)
    return Said(_HEAD + key.generation.to_bytes(_GENERATION_BYTES) + sealed, len(fitting), left_out)


def heard(payload: bytes, key: NamespaceKey, place: str, model: str, size: int | None = None) -> SharedGroups:
    """What another node sent, with means of `model`, of `size` numbers each; None where any will do.

    Raises RefusedError: NO_KEY and OLD for another generation of the key, OTHER_MODEL, and for what cannot be
    read.
    """
    if len(payload) > MOST_GROUPS_BYTES:
        raise RefusedError(
            Refusal.OVERSIZED, f"groups of {len(payload)} bytes came; {MOST_GROUPS_BYTES} can be"
        )
    sealed_from = len(_HEAD) + _GENERATION_BYTES
    if not payload.startswith(_HEAD) or len(payload) < sealed_from:
        raise RefusedError(Refusal.MALFORMED, "what came is no groups")
    generation = int.from_bytes(payload[len(_HEAD) : sealed_from])
    if generation != key.generation:
        refusal = Refusal.NO_KEY if generation > key.generation else Refusal.OLD
        raise RefusedError(refusal, f"groups came sealed with key {generation}, {key.generation} is in use")
    try:
        body = _DECODER.decode(key.open(payload[sealed_from:], place))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise RefusedError(Refusal.MALFORMED, f"groups cannot be read: {error}") from None
    if body.model != model:
        raise RefusedError(Refusal.OTHER_MODEL, "groups came that were made with another embedder")
    _require_sound(body, size)
    return body


def id_bytes(group_id: str) -> bytes:
    """A UUID's bytes."""
    return bytes.fromhex(group_id.replace("-", ""))


def id_text(raw: bytes) -> str:
    """A UUID of its bytes."""
    text = raw.hex()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def half_of(vector: Embedding) -> bytes:
    """A unit vector as it is sent."""
    return vector.astype(_HALF).tobytes()


def unit_of(half: bytes) -> Embedding:
    """A vector that was sent, as a unit vector again, float32."""
    vector = np.frombuffer(half, _HALF).astype(np.float32)
    return np.asarray(vector / max(float(np.linalg.norm(vector)), 1e-9), np.float32)


def _require_sound(body: SharedGroups, size: int | None) -> None:
    """Raise RefusedError (MALFORMED) where what a sound node says of itself is not so."""
    sizes = {len(group.vector) for group in body.groups}
    is_sound = (
        len(sizes) <= 1
        # The recogniser's thread would stumble over any other.
        and (size is None or sizes <= {size * _HALF.itemsize})
        and all(each % _HALF.itemsize == 0 for each in sizes)
        and len({group.id for group in body.groups}) == len(body.groups)
        and all(group.first_seen_ms <= group.last_seen_ms for group in body.groups)
        and len({fate.id for fate in body.fates}) == len(body.fates)
        and all((fate.heir is None) == (fate.fate == "forgotten") for fate in body.fates)
        and all(fate.heir != fate.id for fate in body.fates)
    )
    if is_sound and body.groups:
        vectors = np.frombuffer(b"".join(group.vector for group in body.groups), _HALF)
        lengths = np.linalg.norm(vectors.reshape(len(body.groups), -1).astype(np.float64), axis=1)
        # Written so that what is no number fails too.
        is_sound = bool(np.all(np.abs(lengths - 1) <= _TOLERANCE))
    if not is_sound:
        raise RefusedError(Refusal.MALFORMED, "groups came that no node can have")


def _fitting(things: Sequence[msgspec.Struct], room: int) -> int:
    """How many of the first fit into so many bytes."""
    used = 0
    for number, thing in enumerate(things):
        used += _size(thing)
        if used > room:
            return number
    return len(things)


def _size(thing: msgspec.Struct) -> int:
    return len(msgspec.msgpack.encode(thing))
