"""Which embedder a node compares faces with."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class EmbedderInUse:
    """What tells its embeddings from all others.

    Attributes:
        model_hash: SHA-256 (hex) of the model's file and of how it is shown a chip; embeddings of two hashes
            are never compared.
        size: how many float32 an embedding has.
    """

    model_hash: str
    size: int
