"""What a feed tells: its sightings as jobs, and who came, left and is there as events and presence."""

from collections.abc import Sequence

from edged.domain.message import Message
from edged.domain.moment import Moment
from edged.pipeline.remembering import CameraHistory, JobMemory
from edged.recognition.presence import Appearance, Patience, PresenceBook
from edged.recognition.sighting import Observation, Update
from edged.recognition.wire import Origin, event_message, job_message, presence_message
from edged.settings.root import Settings


class Teller:
    """Makes one feed's messages, and keeps who is in view. Owned by the recogniser's thread."""

    def __init__(self, origin: Origin, settings: Settings, history: CameraHistory | None) -> None:
        self._origin = origin
        self._settings = settings
        self._presence_told = 0
        self.memory = JobMemory(origin, history)
        self.presence = PresenceBook(Patience.of(settings.presence))

    def configure(self, settings: Settings) -> None:
        """Go on with other settings."""
        self._settings = settings
        self.presence.patience = Patience.of(settings.presence)

    def seen(
        self, sighting: tuple[int, Moment] | None, at: Moment, observations: Sequence[Observation]
    ) -> list[Appearance]:
        """Who came, or left, by these faces; `sighting` has the number and begin of the latest one."""
        if sighting is None:
            return []
        job_id = self._origin.job_id(*sighting)
        return [
            appearance
            for observation in observations
            for appearance in self.presence.see(
                job_id, observation.track_id, observation.decision, at, observation.group
            )
        ]

    def tell(self, at: Moment, updates: Sequence[Update], appearances: Sequence[Appearance]) -> list[Message]:
        """What is to be told of all this, and of who was not seen for long enough."""
        changes = [*appearances, *self.presence.expire(at)]
        jobs = [self.memory.job(update, self._settings) for update in updates]
        messages = [job_message(self._origin, job) for job in jobs]
        messages += [event_message(self._origin, change) for change in changes]
        if changes:
            messages.append(self.presence_message(at))
        return messages

    def presence_message(self, at: Moment) -> Message:
        """Who is in view now."""
        self._presence_told += 1
        return presence_message(self._origin, self.presence.persons(), self._presence_told, at)
