"""What is kept of enrolled people's pictures, and whether it can be read by whoever takes the disk."""

from typing import Annotated

from edged.settings.quantities import Duration, Secret, Section, Size, key


class Chips(Section, frozen=True, kw_only=True):
    """Aligned crops of enrolled faces. Without them a new embedder cannot read the gallery again."""

    keep: Annotated[bool, key("Whether crops of enrolled faces are kept.")] = True
    max_age: Annotated[
        Duration | None,
        key("A crop is deleted when so old; its embedding stays.", at_least="1 h", at_most="3650 d"),
    ] = None
    max_bytes: Annotated[
        Size | None,
        key("Bytes of crops of a namespace; the oldest make room.", at_least="1 MB", at_most="1000 GB"),
    ] = None


class Privacy(Section, frozen=True, kw_only=True):
    """Care for people's faces, beyond the limits that groups and history have of their own."""

    encryption_key: Annotated[
        Secret | None,
        key(
            "Key that pictures and embeddings are encrypted with on the disk, as `!secret name`: 32 bytes"
            " in base64, as `edged privacy new-key` makes one. See docs/privacy.md first.",
        ),
    ] = None
    chips: Annotated[Chips, key("Aligned crops of enrolled faces.")] = Chips()
