"""What is kept of people nobody has named."""

from typing import Annotated

from edged.settings.quantities import Duration, FalseAccept, Section, Size, key


class Groups(Section, frozen=True, kw_only=True):
    """Faces of unknown people, clustered: one group a person, bounded in number and age."""

    enabled: Annotated[
        bool, key("Without it nothing of unknown people is kept, and what was kept is deleted.")
    ] = True
    false_merge: Annotated[
        FalseAccept,
        key("Share of strangers' tracks that may fall into another stranger's group; less splits more."),
    ] = FalseAccept(1e-4)
    max_groups: Annotated[
        int, key("Groups of a namespace, at most; who was not seen for longest makes room.", ge=1, le=5000)
    ] = 500
    max_age: Annotated[
        Duration, key("A group is deleted when unseen for so long.", at_least="1 h", at_most="3650 d")
    ] = Duration(30 * 86400)
    max_faces: Annotated[int, key("Faces kept of a group, the best and most varied.", ge=1, le=64)] = 16
    max_bytes: Annotated[
        Size,
        key(
            "Bytes of the faces' crops of a namespace; the groups unseen for longest make room.",
            at_least="1 MB",
            at_most="1000 GB",
        ),
    ] = Size(500_000_000)
    keep_chips: Annotated[
        bool, key("Without the aligned crops there is nothing to look at, and no embedding by a new model.")
    ] = True
    new_visit_after: Annotated[
        Duration,
        key("Who is seen again after so long has come again.", at_least="0 s", at_most="1 d"),
    ] = Duration(60)
