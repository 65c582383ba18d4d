"""The whole configuration file."""

from typing import Annotated, Literal

from edged.settings.feeds import Feed
from edged.settings.governor import Governor
from edged.settings.groups import Groups
from edged.settings.history import History
from edged.settings.http import Http
from edged.settings.names import FEED_ID
from edged.settings.presence import Presence
from edged.settings.privacy import Privacy
from edged.settings.quantities import Section, key
from edged.settings.recognition import Detection, Models, Motion, Quality, Recognition, Sightings, Tracking
from edged.settings.requests import Requests
from edged.settings.sinks import AnySink, Outbox
from edged.settings.sync import Sync


class Log(Section, frozen=True, kw_only=True):
    """What is logged, and how. The log goes to standard error; systemd keeps it."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"], key("Least importance that is logged.")
    ] = "info"
    format: Annotated[
        Literal["auto", "text", "journal", "json"],
        key("`auto`: with priorities under systemd, as text elsewhere."),
    ] = "auto"


class Settings(Section, frozen=True, kw_only=True):
    """The configuration file of a daemon."""

    device: Annotated[
        str | None,
        key(
            "Name of this device in topics and jobs; without it a random one, kept in the data folder.",
            **FEED_ID,
        ),
    ] = None
    data_dir: Annotated[
        str | None,
        key(
            "Folder of the databases; without it systemd's `$STATE_DIRECTORY`, else `~/.local/share/edged`.",
            min_length=1,
        ),
    ] = None
    log: Annotated[Log, key("The log.")] = Log()
    feeds: Annotated[
        tuple[Feed, ...],
        key("The feeds, each with its own `id`; none only for `edged authority`.", max_length=64),
    ]
    sinks: Annotated[
        tuple[AnySink, ...], key("Who is told, each with its own `id`.", min_length=1, max_length=16)
    ]
    outbox: Annotated[Outbox, key("What waits for the sinks.")] = Outbox()
    models: Annotated[Models, key("Which models run, and how.")] = Models()
    motion: Annotated[Motion, key("The gate before the detector.")] = Motion()
    detection: Annotated[Detection, key("Which detections are believed.")] = Detection()
    tracking: Annotated[Tracking, key("How faces are followed.")] = Tracking()
    quality: Annotated[Quality, key("What a face must be like to be embedded.")] = Quality()
    recognition: Annotated[Recognition, key("When a track is somebody.")] = Recognition()
    groups: Annotated[Groups, key("What is kept of people nobody has named.")] = Groups()
    presence: Annotated[Presence, key("When somebody counts as there, and as gone.")] = Presence()
    governor: Annotated[
        Governor, key("What gives way when the machine is hot, throttled or out of time.")
    ] = Governor()
    privacy: Annotated[Privacy, key("Care for people's faces.")] = Privacy()
    sightings: Annotated[Sightings, key("What becomes a job, and when it ends.")] = Sightings()
    http: Annotated[Http | None, key("The recognition API over HTTP; without it nothing listens.")] = None
    requests: Annotated[Requests, key("Requests to recognise pictures.")] = Requests()
    history: Annotated[History, key("What is kept of jobs, for the API.")] = History()
    sync: Annotated[
        Sync | None,
        key("How namespaces are kept the same on many nodes, if `edged sync` says that they are; optional."),
    ] = None
