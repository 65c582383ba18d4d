"""Keeping namespaces the same on many nodes."""

from typing import Annotated, Literal

from edged.settings.names import HTTP_ADDRESS, NAMESPACE
from edged.settings.quantities import Duration, Secret, Section, key


class SyncKey(Section, frozen=True, kw_only=True):
    """This node's own secret for a namespace, where it is to come from the credentials."""

    namespace: Annotated[str, key("The namespace.", **NAMESPACE)]
    key: Annotated[
        Secret, key("The secret, as `edged sync new-key` makes one: 32 bytes in base64, as `!secret name`.")
    ]


class Sync(Section, frozen=True, kw_only=True):
    """Keeping namespaces the same on many nodes. What a namespace is to this node, `edged sync` says."""

    broker: Annotated[
        str | None,
        key(
            "`id` of the sink `mqtt` whose broker carries it; without it the only one there is.", min_length=1
        ),
    ] = None
    keys: Annotated[
        tuple[SyncKey, ...],
        key("Secrets of this node that are not to lie in the data folder, one a namespace.", max_length=64),
    ] = ()
    gather: Annotated[
        Duration,
        key(
            "The authority waits so long for further changes before it publishes.",
            at_least="0 s",
            at_most="1 h",
        ),
    ] = Duration(1)
    proposals: Annotated[
        Literal["auto", "ask"],
        key(
            "What the authority does with what other nodes change: take it, or ask (`edged sync proposals`)."
        ),
    ] = "auto"
    chips: Annotated[
        bool,
        key("The authority shares aligned crops too: nodes with another embedder can then embed them again."),
    ] = False
    groups: Annotated[
        bool,
        key(
            "Groups of unknown people are shared between the nodes of a namespace: at the authority, whether"
            " the namespace does; at a member, whether it takes part."
        ),
    ] = False
    pages: Annotated[
        Literal["broker", "mirror"],
        key("Where the authority puts pages: on the broker, or only into `export` for a mirror."),
    ] = "broker"
    export: Annotated[
        str | None, key("Folder that the authority writes pages to, for a web server.", min_length=1)
    ] = None
    mirror: Annotated[
        str | None,
        key("Address below which pages are fetched first, before the broker is asked.", **HTTP_ADDRESS),
    ] = None
    mirror_ca_file: Annotated[
        str | None, key("Certificates to trust for the mirror instead of the system's, PEM.", min_length=1)
    ] = None
    max_age: Annotated[
        Duration | None,
        key(
            "After so long without a word of the authority, what is known is old.",
            at_least="1 min",
            at_most="3650 d",
        ),
    ] = None
    when_old: Annotated[
        Literal["keep", "flag", "stop"],
        key("What is old is kept, kept and told as trouble, or nobody is recognised any more."),
    ] = "flag"
    alive_every: Annotated[
        Duration,
        key("The authority says so often that its manifest is in force.", at_least="1 s", at_most="1 d"),
    ] = Duration(300)
    report_every: Annotated[
        Duration,
        key("A node says so often how far it is, besides at every change.", at_least="1 s", at_most="1 d"),
    ] = Duration(600)
    ask_every: Annotated[
        Duration,
        key(
            "A page that does not come is asked for again after so long, then ever later.",
            at_least="100 ms",
            at_most="1 h",
        ),
    ] = Duration(5)
    grace: Annotated[
        Duration,
        key(
            "Pages that no manifest lists any more are cleared after so long.", at_least="1 s", at_most="30 d"
        ),
    ] = Duration(600)
    rotate_every: Annotated[
        Duration | None,
        key(
            "After an erasure the namespace's key is changed, at most so often; `null`: never by itself.",
            at_least="1 min",
            at_most="3650 d",
        ),
    ] = Duration(86400)
