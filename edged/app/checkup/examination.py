"""All checks in their order, each section by itself: what `edged doctor` runs."""

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, TypeAlias

import msgspec

from edged.app.checkup import configuring, data, feeds, machine, models, service, sinks, syncing
from edged.app.checkup.finding import SECTIONS, Check, Finding, doubtful, guarded, ill, well
from edged.app.checkup.premises import Premises, premises_of
from edged.app.chosen_models import with_chosen_embedder
from edged.app.configuration import Loaded, load
from edged.domain.errors import EdgedError
from edged.domain.moment import Clock
from edged.settings.recognition import Models

Checks: TypeAlias = Iterable[tuple[str, Check]]


@dataclass(slots=True)
class Examination:
    """One run over everything.

    Attributes:
        path: the configuration file.
        clock: the time.
        with_fsck: prove the databases whole.
        seconds: for how long feeds are measured.
        sections: which of SECTIONS.
        begun: told the name of each section before its first check.
        premises: what was looked at; None until the configuration was read, or where it is wrong.
    """

    path: Path
    clock: Clock
    with_fsck: bool = False
    seconds: float = 3.0
    sections: Collection[str] = SECTIONS
    begun: Callable[[str], None] = lambda _section: None
    premises: Premises | None = field(default=None, init=False)

    def findings(self) -> Iterator[Finding]:
        """A finding as soon as it is made; never raises."""
        yield from self._section("machine", machine.checks(self.clock))
        yield from self._configuration()
        if self.premises is None:
            # Whatever is configured, the models that come with edged can be looked at.
            yield from self._section("models", models.checks(Models(), ()))
            return
        premises = self.premises
        yield from self._section("service", service.checks(premises))
        yield from self._section("store", data.checks(premises))
        yield from self._section("sinks", sinks.checks(premises))
        yield from self._section("sync", syncing.checks(premises))
        yield from self._section("models", _model_checks(premises))
        yield from self._section("feeds", feeds.checks(premises))

    def _section(self, section: str, checks: Checks) -> Iterator[Finding]:
        if section not in self.sections:
            return
        self.begun(section)
        # Finding out what there is to check may fail too.
        for finding in guarded(section, lambda: _each(checks)):
            yield replace(finding, section=section)

    def _configuration(self) -> Iterator[Finding]:
        """Read the configuration, which the later sections stand on, and look at it where that is wanted."""
        told = list(guarded("configuration", self._read))
        is_wanted = "configuration" in self.sections
        if is_wanted or self.premises is None:
            self.begun("configuration")
            yield from (replace(finding, section="configuration") for finding in told)
        if is_wanted and self.premises is not None:
            yield from (
                replace(finding, section="configuration")
                for finding in _each(configuring.checks(self.premises))
            )

    def _read(self) -> Iterator[Finding]:
        loaded, trouble = _loaded(self.path)
        if loaded is None:
            yield ill("configuration", trouble.what, trouble.remedy or _SEE_CHECK)
            return
        self.premises = premises_of(loaded, self.clock, seconds=self.seconds, with_fsck=self.with_fsck)
        yield well("configuration", f"{self.path} is right{' but for its secrets' if trouble.what else ''}")
        if trouble.what:
            yield ill("secrets", trouble.what, trouble.remedy)
        yield from (doubtful("configuration", doubt, "see docs/configuration.md") for doubt in loaded.doubts)


def _each(checks: Checks) -> Iterator[Finding]:
    for what, check in checks:
        yield from guarded(what, check)


_SEE_CHECK: Final = "see `edged config check`"


def _loaded(path: Path) -> tuple[Loaded | None, EdgedError]:
    """The configuration, without its secrets where these are the only thing wrong; and what is wrong."""
    try:
        return load(path), EdgedError("")
    except EdgedError as error:
        trouble = error
    try:
        return load(path, with_secrets=False), trouble
    except EdgedError:
        return None, trouble


def _model_checks(premises: Premises) -> Iterator[tuple[str, Check]]:
    chosen = premises.settings.models
    try:
        chosen = with_chosen_embedder(chosen, premises.folder)
    except EdgedError as error:
        finding = ill("embedder", error.what, error.remedy)
        yield "embedder", lambda: [finding]
    yield from models.checks(chosen, premises.settings.feeds)


def as_json(finding: Finding) -> str:
    """A finding as one line of JSON."""
    return msgspec.json.encode(finding).decode()
