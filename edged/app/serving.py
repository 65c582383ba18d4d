"""Puts together what works on requests: the clerk, the way in over HTTP and MQTT, and the history."""

import logging
import socket
from collections.abc import Sequence
from functools import partial
from typing import Final

from edged.api.addresses import target_of
from edged.api.fetching import FetchError
from edged.api.problem import Code, Problem
from edged.app.api_backend import ApiBackend
from edged.app.api_enrolment import NewPictures
from edged.app.api_jobs import ApiHooks, ApiJobs
from edged.app.api_people import ApiPeople
from edged.app.api_stores import ApiStores
from edged.app.api_tokens import ApiTokens
from edged.app.erasing import erase
from edged.app.mqtt_requests import MqttRequests
from edged.app.own_address import base_url
from edged.app.surroundings import Surroundings, has_api, served_namespaces
from edged.camera.picture import request_picture_of
from edged.domain.errors import StoreError
from edged.domain.message import Message
from edged.domain.moment import Moment
from edged.domain.picture_address import PictureAddresses
from edged.http.fetch import Fetcher
from edged.http.guard import FORBIDDEN, Guard
from edged.pipeline.desk import PictureDesk
from edged.pipeline.historian import Historian
from edged.pipeline.open_request import Books
from edged.pipeline.picture import Manner, Tools
from edged.pipeline.ports import DecodedPicture
from edged.pipeline.remembering import CameraHistory
from edged.pipeline.request_clerk import RequestClerk
from edged.pipeline.request_worker import Enrolled
from edged.pipeline.unknown_people import UnknownPeople
from edged.publish.hook_pool import HookPool
from edged.publish.mqtt_assembly import RequestTaker
from edged.settings.feeds import Feed
from edged.settings.root import Settings
from edged.settings.sinks import MqttSink
from edged.store.api_store import ApiStore
from edged.store.history_records import HistoryRecords
from edged.store.namespace_store import NamespaceStore
from edged.system.chance import jitter, new_id, new_secret, new_token

BEGIN_PATIENCE_S: Final = 10.0
SETTLE_PATIENCE_S: Final = 2.0
"""How long a call waits until what the cameras told before it is written down."""
SWEEPS_AT_ONCE: Final = 4
_CHECK_S: Final = 2.0
"""How long a webhook's name may take to resolve when it is named; each delivery checks it again."""

_LOG: Final = logging.getLogger(__name__)


class Serving:
    """What works on requests. `start` and `stop` stand in mirrored order."""

    def __init__(self, around: Surroundings) -> None:
        settings, clock = around.settings, around.clock
        self._settings = settings
        self._around = around
        self._guard = Guard(settings.requests.fetch.allow_networks, clock)
        self._fetcher = Fetcher(settings.requests.fetch, self._guard, clock)
        self.addresses = _addresses(settings, around.device)
        self.desk = PictureDesk(around.slots.nudge)
        self._stores = ApiStores(around.data_dir, clock, new_id, around.key)
        self._own = ApiStore(around.data_dir, may_replace=True) if has_api(settings) else None
        self._hooks = ApiHooks(around.outbox, self._check_url, new_id, new_secret, clock)
        self._records_kept = records = self._records(around.last_words)
        self.historian = Historian(records, jitter, around.times.now_ns) if has_api(settings) else None
        self.clerk = self._made_clerk()
        self.hook_pool = HookPool(around.outbox, self._guard, clock, jitter)
        self._over_mqtt = self._made_mqtt_requests()

    @property
    def mqtt_requests(self) -> MqttRequests | None:
        """Whoever takes the requests that come over MQTT; None where none are taken."""
        return self._over_mqtt

    @property
    def request_taker(self) -> RequestTaker | None:
        """Who takes the requests that come over MQTT."""
        if self._over_mqtt is None:
            return None
        return RequestTaker(self._over_mqtt.take, served_namespaces(self._settings))

    def history_of(self, feed: Feed) -> CameraHistory | None:
        """What has a feed's jobs remembered; None where nobody could ask for them."""
        if self.historian is None:
            return None
        return CameraHistory(
            partial(self.historian.tell, feed.namespace),
            self.historian.take_picture if self.addresses.keeps_pictures else None,
            self.addresses,
            self._around.models.embedder.model_hash,
        )

    def prepare(self, moment: Moment) -> None:
        """Close what an earlier run left open, and forget what belongs to clients that are there no more."""
        clients = {
            client.id: client.namespaces or served_namespaces(self._settings)
            for client in (self._settings.http.clients if self._settings.http else ())
        }
        self._around.outbox.keep_clients(clients)
        if self._own is not None:
            self._own.begin(moment.utc_ms, self._around.last_words)

    def backend(self) -> ApiBackend | None:
        """What does the API's calls; None where there is none. ConfigurationError for bad secrets."""
        if self._settings.http is None or self._own is None:
            return None
        around = self._around
        feeds = tuple(dict.fromkeys(feed.namespace for feed in self._settings.feeds))
        new_pictures = NewPictures(
            lambda: self._settings,
            around.models.calibrated(),
            around.models.embedder.model_hash,
            new_id,
            lambda: around.clock.moment().utc_ms,
        )
        return ApiBackend(
            ApiTokens(self._settings.http, feeds, self._own, around.clock, new_token),
            ApiJobs(self.clerk, self._hooks, self._stores, self._own),
            ApiPeople(
                self._stores,
                self.clerk,
                new_pictures,
                self.addresses,
                around.models.embedder.model_hash,
                around.watch.wake,
                self._settle,
                self._erase,
            ),
            self._hooks,
        )

    def start(self) -> None:
        """From the disk to those who work on requests."""
        if self.historian is not None:
            self.historian.start()
            if not self.historian.wait_until_begun(BEGIN_PATIENCE_S):
                _LOG.error("Jobs that the last run left open are not closed yet for the API")
        self.clerk.start()
        if self._over_mqtt is not None:
            self._over_mqtt.start()

    def close_doors(self, timeout_s: float) -> None:
        """Take no further request over MQTT."""
        if self._over_mqtt is not None:
            self._over_mqtt.stop(timeout_s)

    def stop_clerk(self, timeout_s: float) -> None:
        """Have told what is known of open jobs."""
        if not self.clerk.stop(timeout_s):
            _LOG.error(
                "The last news of requests' jobs were not written down in time; the next start does it"
            )

    def stop_history(self, timeout_s: float) -> None:
        """Have written down what the cameras saw."""
        if self.historian is not None and not self.historian.finish(timeout_s):
            _LOG.error("The last jobs were not written down for the API in time")
        if self._own is not None:
            self._own.close()

    def configure(self, settings: Settings) -> None:
        """Take over changed settings."""
        self._settings = settings
        self._records_kept.settings = settings.history
        self.clerk.configure(Manner.of(settings, self._around.models.calibrated()))

    def upkeep(self, now: Moment) -> None:
        """Let the API's own file forget what its limits do not allow; where it cannot, that is logged."""
        if self._own is None:
            return
        try:
            for _ in range(SWEEPS_AT_ONCE):
                if not self._own.sweep(self._settings.history.jobs, now.utc_ms):
                    break
        except StoreError as error:
            _LOG.error("Old requests and tokens of the API could not be deleted: %s", error)

    def remarks(self) -> list[str]:
        """What a person should know, for the status line."""
        words = []
        if self.historian is not None and self.historian.given_up:
            words.append(f"{self.historian.given_up} news of jobs were lost to the API's history")
        if self.historian is not None and self.historian.pictures_given_up:
            words.append(f"{self.historian.pictures_given_up} pictures were not kept")
        if self.clerk.is_stuck:
            words.append("jobs of requests cannot be written down")
        return words

    @property
    def failure(self) -> BaseException | None:
        """Why the clerk ended by itself; None while it goes on."""
        return self.clerk.failure

    @property
    def is_idle(self) -> bool:
        """Whether no request is being worked on and all is written down."""
        return self.clerk.is_idle and (self.historian is None or self.historian.is_idle)

    # --- making

    def _records(self, last_words: Sequence[Message] = ()) -> HistoryRecords:
        around = self._around
        namespaces = served_namespaces(self._settings)
        return HistoryRecords(
            around.data_dir,
            namespaces,
            self._settings.history,
            around.clock,
            new_id,
            last_words,
            around.tally,
            key=around.key,
        )

    def _made_clerk(self) -> RequestClerk:
        around, settings = self._around, self._settings
        limits = settings.requests
        tools = Tools(
            models=around.models,
            decode=partial(_decoded, most_bytes=limits.max_bytes, most_pixels=limits.max_pixels),
            gallery=around.galleries.current,
            unknown_people=self._unknown_people,
            addresses=self.addresses,
            clock=around.clock,
        )
        books = Books(None, None)
        if self._own is not None:
            books = Books(self._records(), self._own)
        return RequestClerk(
            settings=limits,
            tools=tools,
            manner=Manner.of(settings, around.models.calibrated()),
            desk=self.desk,
            fetcher=self._fetcher,
            outbox=around.outbox,
            books=books,
            enrolled=Enrolled(self._revision, around.galleries.revision, around.watch.wake),
            on_commit=around.bell.ring,
            clock=around.clock,
            jitter=jitter,
            new_id=new_id,
        )

    def _made_mqtt_requests(self) -> MqttRequests | None:
        if not any(isinstance(sink, MqttSink) and sink.recognize for sink in self._settings.sinks):
            return None
        return MqttRequests(
            recognize=self.clerk.recognize,
            served=frozenset(served_namespaces(self._settings)),
            make_hook=lambda url: self._hooks.of_request(url, None),
            release_hook=self._hooks.release,
            outbox=self._around.outbox,
            on_commit=self._around.bell.ring,
            clock=self._around.clock,
            new_id=new_id,
        )

    def _erase(self, store: NamespaceStore, namespace: str, identity_id: str) -> tuple[str, ...]:
        return erase(store, namespace, [identity_id], self._around.outbox).warnings

    def _settle(self) -> None:
        if self.historian is not None:
            self.historian.wait_until_written(SETTLE_PATIENCE_S)

    def _revision(self, namespace: str) -> int:
        with self._stores.of(namespace) as store:
            return store.people.ledger.revision

    def _unknown_people(self, namespace: str, feed_id: str) -> UnknownPeople:
        groups = self._around.groups
        return UnknownPeople(feed_id) if groups is None else groups.people(namespace, feed_id)

    def _check_url(self, url: str, field: str) -> None:
        """Refuse an address that may not be reached, while somebody is there to be told."""
        try:
            target = target_of(url)
        except FetchError as error:
            raise Problem(Code.FORBIDDEN, f"`{field}`: {error.reason}", field=field) from error
        try:
            self._guard.addresses(target.host, target.port, _CHECK_S)
        except FetchError as error:
            # A name that nobody knows now may be known when something is to be delivered.
            if error.reason == FORBIDDEN:
                raise Problem(Code.FORBIDDEN, f"`{field}`: {error.reason}", field=field) from error


def _addresses(settings: Settings, device: str) -> PictureAddresses:
    if settings.http is None or not has_api(settings):
        return PictureAddresses(device)
    return PictureAddresses(
        device, base_url(settings.http, socket.gethostname()), settings.history.pictures.keep
    )


def _decoded(data: bytes, name: str, *, most_bytes: int, most_pixels: int) -> DecodedPicture:
    return request_picture_of(data, name, most_bytes, most_pixels)
