"""How many frames a second each feed may have: fewer when the machine is hot or out of time. Pure.

Heat slows all feeds alike. Want of time is shared by time, not by frames: what the models may be busy is
dealt out max-min fair, so that a feed which needs less than an equal part keeps all it needs, and only the
greedy ones are cut. A feed on which nothing moves needs next to nothing, and is not cut for the others' sake.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from edged.pipeline.ladder import STEPS, Ladder, Pace
from edged.settings.governor import Governor as Settings

HEAT: Final = Pace(up_after_s=30.0, longest_s=1800.0, regret_s=600.0)
TIME: Final = Pace(up_after_s=10.0, longest_s=640.0, regret_s=60.0)
"""A heat sink answers within minutes, the models' time within seconds."""

CONFIRMED_AFTER_S: Final = 2.0
"""What lasts less long is no reason."""
HEAT_DWELL_S: Final = 20.0
"""Between two steps down for heat: the first must show before there is another."""
FALLS_C: Final = 0.5
"""A machine that cools by so much between two steps needs no further one."""
TIME_DWELL_S: Final = 3.0
MEMORY_S: Final = 3.0
"""Over which rates and costs are averaged."""
MARGIN: Final = 0.85
"""Of the time to be dealt out, what a step up may fill: the rest keeps it from being taken back."""
KEEPS_UP_AT: Final = 0.85
"""A feed that offers this much of what it may would offer more if it might."""

TOO_HOT: Final = "too hot"
OUT_OF_TIME: Final = "out of time"


@dataclass(frozen=True, slots=True)
class FeedWork:
    """What a feed took, since the start.

    Attributes:
        looked, dropped: frames that were looked at, and those that were replaced unseen.
        busy_s: of the recogniser's time.
    """

    looked: int
    dropped: int
    busy_s: float


@dataclass(frozen=True, slots=True)
class Readings:
    """What the governor decides by.

    Attributes:
        at_s: of a steady clock.
        celsius: the processor's temperature; None where unknown.
        throttled: why the machine slows itself down; empty where it does not.
        requests_s: of the recogniser's time that requests took, since the start.
        feeds: those whose rate is governed, by their ids.
        replays_s: of the recogniser's time that replayed clips took, since the start.
    """

    at_s: float
    celsius: float | None
    throttled: tuple[str, ...]
    requests_s: float
    feeds: Mapping[str, FeedWork]
    replays_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Decision:
    """What holds from now on.

    Attributes:
        fps: frames a second that each feed may have.
        reasons: why some have fewer than configured; empty while none has.
        slowed: the same in words, with the feeds; it changes only when a rate or a reason does.
        load: share of the recogniser's time that is used, 0 to 1.
        heat_step: how many steps down all feeds are for heat.
        time_steps: how many each is for want of time.
    """

    fps: Mapping[str, float]
    reasons: tuple[str, ...]
    slowed: str
    load: float
    heat_step: int
    time_steps: Mapping[str, int]


def fair_shares(needs: Mapping[str, float], capacity: float) -> dict[str, float]:
    """Deal a capacity out max-min fair: nobody gets more than needed, and what one leaves goes to the others.

    (Bertsekas and Gallager, Data Networks, section 6.5.2.)
    """
    shares: dict[str, float] = {}
    left = max(capacity, 0.0)
    for position, (name, need) in enumerate(sorted(needs.items(), key=lambda item: item[1])):
        shares[name] = min(need, left / (len(needs) - position))
        left -= shares[name]
    return shares


class Governor:
    """Decides once a second. Belongs to one thread.

    Args:
        settings: the section `governor`.
        fps: each feed's configured frames a second.
        share: of the models' time that requests may have, when they and frames wait.
    """

    def __init__(self, settings: Settings, fps: Mapping[str, float], share: float) -> None:
        self._settings = settings
        self._share = share
        self._feeds = {feed: _Feed(wanted, min(wanted, settings.min_fps)) for feed, wanted in fps.items()}
        self._heat = _Heat(settings, max((feed.lowest for feed in self._feeds.values()), default=0))
        self._requests = _Average()
        self._replays = _Average()
        self._last: Readings | None = None
        self._short_since_s: float | None = None
        self._wants_more = False
        self._cut_s = -math.inf

    def decide(self, readings: Readings) -> Decision:
        """What holds from now on."""
        last, self._last = self._last, readings
        if last is not None and readings.at_s > last.at_s:
            passed_s = readings.at_s - last.at_s
            self._requests.add((readings.requests_s - last.requests_s) / passed_s, passed_s)
            self._replays.add((readings.replays_s - last.replays_s) / passed_s, passed_s)
            for name, feed in self._feeds.items():
                feed.note(last.feeds[name], readings.feeds[name], passed_s)
            self._share_time(readings.at_s)
        self._heat.decide(readings)
        for feed in self._feeds.values():
            feed.heat_step = self._heat.ladder.step
        return self._decision()

    def _share_time(self, now_s: float) -> None:
        of_requests = min(self._requests.value, self._share)
        capacity = self._settings.busy_at * (1 - of_requests)
        feeds = self._feeds
        used = sum(feed.cost_s * feed.rate for feed in feeds.values())
        if used <= capacity:
            self._short_since_s = None
        elif self._short_since_s is None:
            self._short_since_s = now_s
        needs = {name: feed.cost_s * feed.wish for name, feed in feeds.items()}
        self._wants_more = sum(needs.values()) > MARGIN * capacity
        if self._short_since_s is not None:
            is_confirmed = now_s - self._short_since_s >= CONFIRMED_AFTER_S
            if is_confirmed and now_s - self._cut_s >= TIME_DWELL_S:
                self._cut(fair_shares(needs, capacity), now_s)
            return
        modest = fair_shares(needs, MARGIN * capacity)
        for name, feed in feeds.items():
            feed.ladder.look(now_s, may_rise=feed.cost_s * feed.rate_above <= modest[name] + 1e-9)

    def _cut(self, shares: Mapping[str, float], now_s: float) -> None:
        self._cut_s = now_s
        for name, feed in self._feeds.items():
            if feed.cost_s * feed.rate > shares[name] + 1e-9:
                feed.ladder.down(now_s, feed.lowest)

    def _decision(self) -> Decision:
        fps = {name: feed.allowed for name, feed in self._feeds.items()}
        slow = {name: feed for name, feed in self._feeds.items() if feed.allowed < feed.wanted}
        reasons: tuple[str, ...] = ()
        if slow and self._heat.ladder.step:
            reasons += self._heat.reasons
        if any(feed.ladder.step for feed in slow.values()):
            reasons += (OUT_OF_TIME if self._wants_more else f"lately {OUT_OF_TIME}",)
        rates = ", ".join(f"{name} {feed.allowed:.3g} of {feed.wanted:.3g}" for name, feed in slow.items())
        load = self._requests.value + self._replays.value
        load += sum(feed.busy.value for feed in self._feeds.values())
        return Decision(
            fps=fps,
            reasons=reasons,
            slowed=f"{' and '.join(reasons)}: {rates} frames/s" if slow else "",
            load=min(max(load, 0.0), 1.0),
            heat_step=self._heat.ladder.step,
            time_steps={name: feed.ladder.step for name, feed in self._feeds.items()},
        )


class _Heat:
    """The step of all feeds."""

    def __init__(self, settings: Settings, lowest: int) -> None:
        self._settings = settings
        self._lowest = lowest
        self.ladder = Ladder(HEAT)
        self._why: tuple[str, ...] = ()
        self._hot_since_s: float | None = None
        self._marked_s = -math.inf
        self._marked_c: float | None = None

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why the last step down was taken; `lately …` once that is over."""
        return self._why if self._hot_since_s is not None else tuple(f"lately {why}" for why in self._why)

    def decide(self, readings: Readings) -> None:
        """Step down while it is hot and does not cool, up when it has been cool for long."""
        now_s, celsius = readings.at_s, readings.celsius
        is_hot = celsius is not None and celsius >= self._settings.hot_at_c
        if not is_hot and not readings.throttled:
            self._hot_since_s = None
            is_cool = celsius is None or celsius < self._settings.cool_at_c
            self.ladder.look(now_s, may_rise=is_cool)
            return
        self.ladder.look(now_s, may_rise=False)
        if self._hot_since_s is None:
            self._hot_since_s = now_s
        if now_s - self._hot_since_s < CONFIRMED_AFTER_S or now_s - self._marked_s < HEAT_DWELL_S:
            return
        cools = self._marked_c is not None and celsius is not None and celsius <= self._marked_c - FALLS_C
        was_marked_lately = now_s - self._marked_s < 2 * HEAT_DWELL_S
        self._marked_s, self._marked_c = now_s, celsius
        if cools and was_marked_lately:
            return
        self._why = tuple(dict.fromkeys(((TOO_HOT,) if is_hot else ()) + readings.throttled))
        self.ladder.down(now_s, self._lowest)


class _Feed:
    """One feed's step, and what is known of its needs."""

    def __init__(self, wanted: float, least: float) -> None:
        self.wanted = wanted
        self.ladder = Ladder(TIME)
        self.heat_step = 0
        self.lowest = next(
            (step for step, part in enumerate(STEPS) if wanted * part <= least), len(STEPS) - 1
        )
        self.busy = _Average()
        self.cost_s = 0.0
        self._least = least
        self._looked = _Average()
        self._offered = _Average()

    def note(self, before: FeedWork, now: FeedWork, passed_s: float) -> None:
        """Take note of what the feed took meanwhile."""
        looked = now.looked - before.looked
        self.busy.add((now.busy_s - before.busy_s) / passed_s, passed_s)
        self._looked.add(looked / passed_s, passed_s)
        self._offered.add((looked + now.dropped - before.dropped) / passed_s, passed_s)
        if looked:
            self.cost_s = self.busy.value / self._looked.value

    @property
    def allowed(self) -> float:
        """Frames a second that it may have now."""
        return self._rate_at(max(self.ladder.step, self.heat_step))

    @property
    def wish(self) -> float:
        """Frames a second that it would have if it might: a slow camera has fewer than configured."""
        offered = self._offered.value
        return self.wanted if offered >= KEEPS_UP_AT * self.allowed else offered

    @property
    def rate(self) -> float:
        """Frames a second that it has now."""
        return min(self.allowed, self.wish)

    @property
    def rate_above(self) -> float:
        """Frames a second that it would have one step higher."""
        return min(self._rate_at(max(self.ladder.step - 1, 0)), self.wish)

    def _rate_at(self, step: int) -> float:
        return max(self.wanted * STEPS[step], self._least)


class _Average:
    """A running mean, in which what is older weighs less."""

    def __init__(self) -> None:
        self.value = 0.0
        self._weight = 0.0

    def add(self, value: float, passed_s: float) -> None:
        """Take note of a value that held for so long."""
        kept = math.exp(-passed_s / MEMORY_S)
        new = 1 - kept
        self._weight = self._weight * kept + new
        self.value += (value - self.value) * new / self._weight
