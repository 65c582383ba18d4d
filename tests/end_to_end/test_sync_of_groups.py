"""A stranger before two cameras with a database each, over a real broker: one group until they are named."""

import pytest

from bench.mosquitto import IS_INSTALLED, WHY_NOT, Mosquitto, eventually
from builders.namespaces import EMBEDDER
from builders.sharing import Eyes
from edged.app import sync_commands
from edged.app.sync_keys import make_seed
from edged.app.syncing import SyncGround, Syncing
from edged.domain.sync_state import SyncState
from edged.settings.feeds import Retry
from edged.settings.groups import Groups
from edged.settings.quantities import Duration
from edged.settings.root import Settings
from edged.settings.sinks import MqttSink
from edged.settings.sync import Sync
from edged.sync.board import SyncBoard
from edged.system.chance import random_bytes
from edged.system.clock import SystemClock

pytestmark = pytest.mark.skipif(not IS_INSTALLED, reason=WHY_NOT)

POSTMAN = 7
VISIT_MS = 3_600_000


class HandOfTheClock:
    """The eyes' clock: the system's, and ahead of it by whole visits, which tracks are told with."""

    def __init__(self) -> None:
        self.ms = SystemClock().moment().utc_ms - 1_700_000_000_000 - 10 * VISIT_MS

    def moment(self):
        return SystemClock().moment()


class Camera:
    """A node: its camera, and the thread that keeps it in step with the other."""

    def __init__(self, folder, name: str, broker: Mosquitto) -> None:
        folder.mkdir()
        self.folder, self.name = folder, name
        sink = MqttSink(
            host=broker.host, port=broker.port, retry=Retry(first=Duration(0.1), most=Duration(0.3))
        )
        sync = Sync(gather=Duration(0), ask_every=Duration(0.5), groups=True)
        self.settings = Settings(feeds=(), sinks=(sink,), sync=sync)
        self.board = SyncBoard()
        self.eyes = Eyes(folder, HandOfTheClock(), name, Groups())
        self.keys = make_seed(sync, folder, "home", random_bytes)
        self.syncing = Syncing(SyncGround(self.settings, folder, name, EMBEDDER, SystemClock()), self.board)

    def place(self, store) -> sync_commands.Place:
        return sync_commands.Place(store.connection, "home", SystemClock().moment().utc_ms)

    def is_in_step(self) -> bool:
        standing = self.board.standing("home")
        return standing is not None and standing.state is SyncState.IN_STEP

    def see(self, number: int):
        self.eyes.clock.ms += VISIT_MS
        return self.eyes.see(number, POSTMAN)

    def stop(self) -> None:
        assert self.syncing.stop(10.0)
        self.eyes.records.close()


def test_a_stranger_at_two_cameras_is_one_group_until_somebody_names_them(tmp_path):
    with Mosquitto(persistence=False) as broker:
        front, back = Camera(tmp_path / "front", "front", broker), Camera(tmp_path / "back", "back", broker)
        with front.eyes.store() as store:
            sync_commands.init(front.place(store), "front", front.keys, random_bytes)
            invitation = sync_commands.invite(front.place(store), random_bytes, lifetime_ms=600_000, uses=1)
        with back.eyes.store() as store:
            sync_commands.begin_to_join(back.place(store), invitation, "back")
        front.syncing.start()
        eventually(front.is_in_step, "the authority to publish")
        back.syncing.start()
        try:
            eventually(back.is_in_step, "the member to have it")
            first = front.see(1)
            eventually(lambda: back.eyes.elsewhere() == [("front", first.group_id)], "the group to be shared")
            back.eyes.clock.ms += VISIT_MS
            second = back.see(2)
            assert (second.group_id, second.seen_before) == (first.group_id, 1)
            eventually(lambda: front.eyes.elsewhere() == [("back", first.group_id)], "the other to have it")
            assert front.eyes.groups()[0].visits == 2
            front.eyes.name(first.group_id, "Pat")
            for camera in (front, back):
                eventually(lambda camera=camera: camera.eyes.ids() == [], f"no group at {camera.name}")
                eventually(lambda camera=camera: camera.eyes.elsewhere() == [], "nor shared")
            with back.eyes.store() as store:
                assert [person.name for person in store.identities()] == ["Pat"]
        finally:
            back.stop()
            front.stop()
