"""What happens in the week: scenes by chance, each with somebody before a camera and often with a trouble."""

import random
from collections.abc import Callable
from typing import Final

from simulated_week.cast import SLOTS
from simulated_week.house import HOUR_MS, House
from simulated_week.plan import BEGIN_MS, KNOWN, STRANGERS, feeds

ALIKE: Final = ("the daemon is restarted", "a feed is switched off by command", "the daemon is killed")
"""Of these the short form has another of the kind."""

FEEDS: Final = tuple(feed.id for feed in feeds())


class Story:
    """Plays scenes at a house; the same seed plays the same ones."""

    def __init__(self, house: House, seed: int) -> None:
        self._house = house
        self._chance = random.Random(seed)  # noqa: S311 - a script's dice
        self._troubles: dict[str, Callable[[], None]] = {
            "none": lambda: None,
            "the broker is killed": self._broker_is_killed,
            "the daemon is killed": self._daemon_is_killed,
            "the machine loses its power": self._power_is_lost,
            "the daemon is restarted": self._daemon_is_restarted,
            "a camera fails": self._camera_fails,
            "the reader starts anew": self._reader_starts_anew,
            "a feed is switched off over MQTT": lambda: self._is_switched(by_command=False),
            "a feed is switched off by command": lambda: self._is_switched(by_command=True),
        }

    def week(self, days: float) -> None:
        """Scenes, some minutes to an hour apart, until so many days are over."""
        end_ms = BEGIN_MS + round(days * 24 * HOUR_MS)
        names = list(self._troubles)
        while self._house.now_ms < end_ms:
            self.scene(self._chance.choices(names, [6, 1, 1, 0.5, 0.5, 1, 2, 1, 1])[0])
            self._house.live(self._chance.uniform(180, 2600))

    def each_trouble_once(self) -> None:
        """The short form: a scene with each trouble that is like no other, and the end of the hours."""
        house = self._house
        for trouble in [one for one in self._troubles if one not in ("none", *ALIKE)]:
            self.scene(trouble)
        house.live((22 * HOUR_MS - house.now_ms % (24 * HOUR_MS)) / 1000 - 5)
        house.standing["shop"] = [1, STRANGERS[0]]
        house.live(4)
        house.check("before closing time")
        house.live(4)
        house.check("after closing time")

    def scene(self, trouble: str) -> None:
        """Somebody comes, something happens, everybody leaves."""
        house = self._house
        house.counts["scenes"] += 1
        house.counts[f"trouble: {trouble}"] += trouble != "none"
        self._come()
        house.live(8)
        house.check(f"{trouble}: they are there")
        self._troubles[trouble]()
        house.live(8)
        house.check(f"{trouble}: after it")
        if self._chance.choice((True, False)):
            self._go_on()
        for feed_id in FEEDS:
            house.standing[feed_id] = []
        house.live(20)
        house.check(f"{trouble}: they went")
        house.live(60)
        house.check(f"{trouble}: they are long gone")

    def _come(self) -> None:
        people = self._chance.sample([*KNOWN, *STRANGERS], self._chance.randint(1, 4))
        for person in people:
            feed_id = self._chance.choice(FEEDS)
            if len(self._house.standing[feed_id]) < SLOTS:
                self._house.standing[feed_id] = [*self._house.standing[feed_id], person]
                self._house.counts["visits"] += 1

    def _go_on(self) -> None:
        """Whoever is known and at the door goes to the hall; strangers are others to another camera."""
        house = self._house
        house.standing["hall"] = [who for who in house.standing["door"] if who in KNOWN]
        house.standing["door"] = []
        house.live(14)
        house.check("they went on")

    def _broker_is_killed(self) -> None:
        house = self._house
        house.kill_broker()
        house.live(self._chance.choice([3, 45]))
        if self._chance.choice((True, False)):
            house.standing["door"] = []
            house.live(self._chance.choice([15, 90]))
        house.start_broker()

    def _daemon_is_killed(self) -> None:
        house = self._house
        house.kill()
        house.check("the daemon is dead")
        house.pass_without_device(self._chance.uniform(1, 120))
        house.start()

    def _power_is_lost(self) -> None:
        house = self._house
        house.kill_broker()
        house.kill()
        house.pass_without_device(self._chance.uniform(20, 3000))
        house.start_broker()
        house.boot()

    def _daemon_is_restarted(self) -> None:
        house = self._house
        house.stop()
        house.forget()
        house.check("the daemon was stopped")
        house.pass_without_device(2)
        house.start()

    def _camera_fails(self) -> None:
        house = self._house
        feed_id = self._chance.choice(FEEDS)
        house.broken.add(feed_id)
        house.live(15)
        house.check(f"{feed_id} is broken")
        house.broken.clear()

    def _reader_starts_anew(self) -> None:
        self._house.restart_reader()
        self._house.check("the reader is new")

    def _is_switched(self, *, by_command: bool) -> None:
        house = self._house
        feed_id = self._chance.choice(FEEDS)
        house.switch(feed_id, is_on=False, by_command=by_command)
        house.live(3)
        house.check(f"{feed_id} is off")
        if self._chance.choice((True, False)):
            house.kill()
            house.start()
            house.live(8)
            house.check(f"{feed_id} is off still")
        house.switch(feed_id, is_on=True, by_command=by_command)
