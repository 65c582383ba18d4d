"""The keys of nodes and namespaces.

A node has one secret for each namespace, its seed: 32 bytes. Three key pairs are made of it by HKDF (RFC
5869): Ed25519 (RFC 8032) for what it says as a node, Ed25519 for what it says should it be the authority, and
X25519 (RFC 7748) for what is meant for it alone. So any member can be made the authority without another
secret.

The namespace has a key that all members know, of which there is a new generation whenever it is rotated.
Pages are sealed with AES-256-GCM. The nonce is made of the content (as in RFC 5297, SIV): the same page
sealed again gives the same bytes, so that its hash is its name, and no nonce is ever used for two contents.
"""

import hashlib
import hmac
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from edged.replication.refusal import Refusal, RefusedError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

SEED_BYTES: Final = 32
PUBLIC_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64
NAMESPACE_KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_TAG_BYTES: Final = 16
SEALING_OVERHEAD_BYTES: Final = _NONCE_BYTES + _TAG_BYTES
_ENVELOPE_BYTES: Final = PUBLIC_BYTES + NAMESPACE_KEY_BYTES + _TAG_BYTES


class SigningKey:
    """One Ed25519 key pair. Prints as its public half."""

    def __init__(self, seed: bytes) -> None:
        # Some MiB, which a daemon that is no node does without.
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey  # noqa: PLC0415

        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self.public: bytes = self._private.public_key().public_bytes_raw()
        """32 bytes."""

    def sign(self, content: bytes) -> bytes:
        """The signature, 64 bytes; the same for the same content."""
        return self._private.sign(content)

    def __repr__(self) -> str:
        return f"SigningKey(public={self.public.hex()})"


def is_signed(public: bytes, signature: bytes, content: bytes) -> bool:
    """Whether the signature of the content is of the owner of a public key."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey  # noqa: PLC0415

    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, content)
    except (InvalidSignature, ValueError):
        return False
    return True


class NodeKeys:
    """All that a node can do with its seed, 32 bytes that nobody can guess. Prints as stars.

    Attributes:
        node: signs what it says as a node.
        authority: signs what it says as the authority.
        sealing_public: 32 bytes, what others seal for it with.
    """

    def __init__(self, seed: bytes) -> None:
        if len(seed) != SEED_BYTES:
            raise ValueError(f"a seed has {SEED_BYTES} bytes, not {len(seed)}")
        from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey  # noqa: PLC0415

        self.node = SigningKey(_derived(seed, b"edged sync: node, 1"))
        self.authority = SigningKey(_derived(seed, b"edged sync: authority, 1"))
        self._sealing = X25519PrivateKey.from_private_bytes(_derived(seed, b"edged sync: sealing, 1"))
        self.sealing_public: bytes = self._sealing.public_key().public_bytes_raw()

    def open_envelope(self, envelope: bytes, place: str) -> bytes:
        """The namespace's key that was put into an envelope for this node; raises RefusedError (NO_KEY)."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415
        from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey  # noqa: PLC0415

        try:
            if len(envelope) == _ENVELOPE_BYTES:
                ephemeral = envelope[:PUBLIC_BYTES]
                shared = self._sealing.exchange(X25519PublicKey.from_public_bytes(ephemeral))
                cipher = _aead(_envelope_key(shared, ephemeral, self.sealing_public))
                return cipher.decrypt(bytes(_NONCE_BYTES), envelope[PUBLIC_BYTES:], place.encode())
        except (InvalidTag, ValueError):
            pass
        raise RefusedError(Refusal.NO_KEY, "the namespace's key that was sent is not for this node")

    def __repr__(self) -> str:
        return "NodeKeys(****)"


def seal_envelope(key: bytes, sealing_public: bytes, place: str, chance: Callable[[int], bytes]) -> bytes:
    """Put a namespace's key into an envelope that one node alone can open.

    Args:
        key: NAMESPACE_KEY_BYTES bytes.
        sealing_public: the node's, 32 bytes.
        place: which namespace, node and generation; it is authenticated, see `envelope_place`.
        chance: gives so many bytes that nobody can guess.

    Raises ValueError where nothing can be sealed for such a key, see `can_be_sealed_for`.
    """
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey  # noqa: PLC0415

    ephemeral = X25519PrivateKey.from_private_bytes(chance(32))
    public = ephemeral.public_key().public_bytes_raw()
    shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(sealing_public))
    # The key is used once, so that the nonce need not differ from one to the next.
    sealed = _aead(_envelope_key(shared, public, sealing_public)).encrypt(
        bytes(_NONCE_BYTES), key, place.encode()
    )
    return public + sealed


def can_be_sealed_for(sealing_public: bytes) -> bool:
    """Whether a public key is one of X25519.

    A point of small order gives the same secret, zero, with every other key: what is sealed with it is open.
    `cryptography` refuses it (RFC 7748, section 6.1), and so must whoever keeps the key for later.
    """
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey  # noqa: PLC0415

    try:
        X25519PrivateKey.from_private_bytes(bytes(range(32))).exchange(
            X25519PublicKey.from_public_bytes(sealing_public)
        )
    except ValueError:
        return False
    return True


def envelope_place(namespace: str, node: str, generation: int) -> str:
    """What an envelope is bound to."""
    return f"{namespace}\0{node}\0{generation}"


class NamespaceKey:
    """One generation of the key that all members know. Prints as stars.

    Attributes:
        generation: counts up from 1 with each rotation.
    """

    def __init__(self, secret: bytes, generation: int) -> None:
        if len(secret) != NAMESPACE_KEY_BYTES:
            raise ValueError(f"a namespace's key has {NAMESPACE_KEY_BYTES} bytes, not {len(secret)}")
        self.secret = secret
        self.generation = generation
        self._cipher = _aead(_derived(secret, b"edged sync: pages, 1"))
        self._nonces = _derived(secret, b"edged sync: nonces, 1")

    def seal(self, content: bytes, place: str) -> bytes:
        """The content sealed: 28 bytes longer, and the same bytes each time.

        `place` says what it is and whose, and is authenticated: what is moved elsewhere does not open.
        """
        bound = self._bound(place)
        material = len(bound).to_bytes(4, "big") + bound + content
        nonce = hmac.digest(self._nonces, material, hashlib.sha256)[:_NONCE_BYTES]
        return nonce + self._cipher.encrypt(nonce, content, bound)

    def open(self, sealed: bytes, place: str) -> bytes:
        """What was sealed; raises RefusedError (ALTERED) where it was altered, moved, or sealed otherwise."""
        from cryptography.exceptions import InvalidTag  # noqa: PLC0415

        try:
            if len(sealed) >= SEALING_OVERHEAD_BYTES:
                return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], self._bound(place))
        except InvalidTag:
            pass
        raise RefusedError(
            Refusal.ALTERED, "it does not open: it was altered, moved, or sealed with another key"
        )

    def digest(self, content: bytes) -> bytes:
        """A hash that only members can compute, 32 bytes: who sees it learns nothing about short contents."""
        return hmac.digest(_derived(self.secret, b"edged sync: hashes, 1"), content, hashlib.sha256)

    def _bound(self, place: str) -> bytes:
        return f"{self.generation}\0{place}".encode()

    def __repr__(self) -> str:
        return f"NamespaceKey(****, generation={self.generation})"


def _aead(key: bytes) -> "AESGCM":
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

    return AESGCM(key)


def _envelope_key(shared: bytes, ephemeral: bytes, recipient: bytes) -> bytes:
    return _derived(shared, b"edged sync: envelope, 1" + ephemeral + recipient)


def _derived(secret: bytes, purpose: bytes) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF  # noqa: PLC0415

    return HKDF(SHA256(), 32, None, purpose).derive(secret)
