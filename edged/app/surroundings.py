"""What everything else of the daemon stands on: models, stores, galleries and the place where frames wait."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from edged.app.chosen_models import load_chosen_models
from edged.app.encryption import bring_into_force, configured_key
from edged.app.erasing import follow_up
from edged.app.grouping import GroupParts, make_groups
from edged.app.reembedding import Progress, embed_anew
from edged.delivery.route import routes_of
from edged.domain.message import Message
from edged.domain.moment import Clock
from edged.pipeline.feed_control import FeedControl
from edged.pipeline.galleries import Galleries
from edged.pipeline.ports import Models
from edged.pipeline.slot import SlotRing
from edged.pipeline.stages import StageTimes
from edged.pipeline.timed import timed_models
from edged.publish.assembly import Publishing
from edged.settings.root import Settings
from edged.settings.sinks import MqttSink
from edged.store.erasures import Erasures
from edged.store.gallery_age import OldTruth
from edged.store.gallery_watch import GalleryWatch
from edged.store.outbox import Outbox
from edged.store.retention import Tally
from edged.store.sealing import EncryptionKey
from edged.sync.board import SyncBoard
from edged.system.boot import boot_id
from edged.system.chance import new_id
from edged.system.clock import SystemStopwatch


class Bell:
    """Wakes the sinks; made before them, because those who ring it are made before them too."""

    def __init__(self, on_commit: Callable[[Sequence[Message]], None] | None) -> None:
        self._on_commit = on_commit
        self.publishing: Publishing | None = None

    def ring(self) -> None:
        """Say that something was committed to the outbox; any thread may."""
        if self.publishing is not None:
            self.publishing.wake()

    def committed(self, messages: Sequence[Message]) -> None:
        """The same of what the feeds tell."""
        self.ring()
        if self._on_commit is not None:
            self._on_commit(messages)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Made first, used by all.

    Attributes:
        device: the device's id.
        run: the number of this start of the daemon.
        outbox: what the last run left open is closed.
        last_words: the messages that closed it.
        galleries, watch: who is enrolled, and whoever sees changes of it.
        groups: what groups unknown people; None where groups are off.
        tally: counts what retention deleted.
        slots: where frames wait.
        control: whether each feed is on, and its frame rate.
        bell: wakes the sinks.
        times: how long each stage of a frame takes.
        key: the one that pictures and embeddings are encrypted with.
        sync_board: how the sync of each namespace stands; empty where none is synced.
    """

    settings: Settings
    data_dir: Path
    device: str
    run: int
    models: Models
    outbox: Outbox
    last_words: tuple[Message, ...]
    galleries: Galleries
    watch: GalleryWatch
    groups: GroupParts | None
    tally: Tally
    slots: SlotRing
    control: FeedControl
    bell: Bell
    times: StageTimes
    clock: Clock
    key: EncryptionKey | None
    sync_board: SyncBoard = field(default_factory=SyncBoard)


def served_namespaces(settings: Settings) -> tuple[str, ...]:
    """The namespaces of the feeds and of the API's clients, each once."""
    clients = settings.http.clients if settings.http else ()
    names = [feed.namespace for feed in settings.feeds]
    names += [namespace for client in clients for namespace in client.namespaces]
    return tuple(dict.fromkeys(names))


def has_api(settings: Settings) -> bool:
    """Whether anybody may use the API over HTTP; without clients the server tells only how the daemon is."""
    return settings.http is not None and bool(settings.http.clients)


def takes_requests(settings: Settings) -> bool:
    """Whether anybody may send requests: over HTTP, or over MQTT."""
    over_mqtt = any(isinstance(sink, MqttSink) and sink.recognize for sink in settings.sinks)
    return has_api(settings) or over_mqtt


def make_surroundings(
    settings: Settings,
    data_dir: Path,
    clock: Clock,
    on_commit: Callable[[Sequence[Message]], None] | None,
    tell: Callable[[Progress], None],
) -> Surroundings:
    """Make them, start none; raises `EdgedError`. For the arguments see `composition.assemble`."""
    models = load_chosen_models(settings.models, settings.detection.min_score, data_dir)
    # Asked for first: nobody's faces are embedded anew for a model that nobody can be recognised with.
    calibration = models.calibrated()
    namespaces = served_namespaces(settings)
    key = configured_key(settings.privacy)
    bring_into_force(data_dir, namespaces, key, clock, new_id, tell)
    outbox, device, run = _begun_outbox(settings, data_dir, clock)
    # Before anything is sent, or closed in the words of before.
    follow_up(data_dir, outbox)
    last_words = tuple(outbox.close_orphans(clock.moment()))
    embed_anew(data_dir, namespaces, models.embedder, clock, new_id, tell, key=key)
    galleries = Galleries(calibration, models.embedding_size)
    times = StageTimes(SystemStopwatch().wall_ns)
    tally = Tally()
    groups = make_groups(settings, namespaces, models, data_dir, clock, key, tally)
    books = groups.books if groups else None
    watch = GalleryWatch(
        data_dir,
        namespaces,
        models.embedder.model_hash,
        galleries,
        clock,
        new_id,
        books,
        key=key,
        erasures=Erasures(outbox),
        old=_old_truth(settings),
    )
    return Surroundings(
        settings=settings,
        data_dir=data_dir,
        device=device,
        run=run,
        models=timed_models(models, times),
        outbox=outbox,
        last_words=last_words,
        galleries=galleries,
        watch=watch,
        groups=groups,
        tally=tally,
        slots=SlotRing(tuple(feed.id for feed in settings.feeds)),
        control=FeedControl({feed.id: feed.fps for feed in settings.feeds}),
        bell=Bell(on_commit),
        times=times,
        clock=clock,
        key=key,
    )


def _old_truth(settings: Settings) -> OldTruth | None:
    """What becomes of what a member has not been told of for long; None where it is kept without a word."""
    sync = settings.sync
    if sync is None or sync.max_age is None or sync.when_old == "keep":
        return None
    return OldTruth(round(sync.max_age * 1000), is_withheld=sync.when_old == "stop")


def _begun_outbox(settings: Settings, data_dir: Path, clock: Clock) -> tuple[Outbox, str, int]:
    """The outbox, the device's name, and the number of this run."""
    outbox = Outbox(data_dir, routes_of(settings.sinks))
    outbox.begin(clock.moment(), boot_id())
    device = settings.device or outbox.device_id(new_id)
    run = outbox.next_run()
    return outbox, device, run
