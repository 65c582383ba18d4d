"""The sink `webhook`: each message a signed POST, one at a time."""

from collections.abc import Sequence
from typing import Final

from edged import __version__
from edged.delivery.batch import Batch
from edged.delivery.http_answer import outcome_of
from edged.delivery.lateness import body_to_send
from edged.delivery.outcome import Fate, Outcome
from edged.delivery.parcel import Parcel
from edged.delivery.signature import signing_key, webhook_headers, webhook_id
from edged.domain.errors import ConfigurationError
from edged.domain.moment import Clock
from edged.publish.http_post import Poster, PostError, Reach
from edged.publish.sink import Alarm
from edged.settings.sinks import WebhookSink as Settings

_BATCH_MS: Final = 1000
"""A batch is cut short after so long: what is leased cannot be replaced by newer news."""


class WebhookSink(Alarm):
    """Posts messages to an HTTP receiver, by the Standard Webhooks specification."""

    batch = 16

    def __init__(
        self,
        sink_id: str,
        settings: Settings,
        clock: Clock,
        *,
        key: bytes | None = None,
        reach: Reach | None = None,
    ) -> None:
        """`key` signs where the settings name no secret; `reach` makes the connections, where it is given."""
        super().__init__()
        self.id = sink_id
        self._settings = settings
        self._clock = clock
        self._key = key or _key_of(sink_id, settings)
        self._poster = Poster(settings.url, settings.ca_file, settings.timeout, reach=reach)
        self._trouble = ""

    @property
    def condition(self) -> str:
        """How it is doing, for people."""
        return (
            f"{self._poster.where}: {self._trouble}" if self._trouble else f"posting to {self._poster.where}"
        )

    def is_ready(self) -> bool:
        """Always: whether the receiver answers shows when it is asked."""
        return True

    def deliver(self, parcels: Sequence[Parcel]) -> list[Outcome]:
        """Post them one by one; a receiver that cannot now, or is not there, ends the batch."""
        batch = Batch(parcels)
        started_ms = self._clock.moment().steady_ms
        while not self.is_stopping() and self._clock.moment().steady_ms - started_ms < _BATCH_MS:
            index = batch.peek()
            if index is None:
                break
            outcome = self._posted(parcels[index])
            if self.is_stopping() and outcome.fate is not Fate.DELIVERED:
                break
            self._trouble = outcome.reason
            batch.sent(index)
            batch.answered(index, outcome)
            if outcome.fate in {Fate.UNAVAILABLE, Fate.UNREACHABLE}:
                break
        return batch.outcomes()

    def interrupt(self) -> None:
        """End the wait, and the post that goes on."""
        super().interrupt()
        self._poster.abort()

    def close(self) -> None:
        """Close the connection."""
        self._poster.close()

    def _posted(self, parcel: Parcel) -> Outcome:
        now = self._clock.moment()
        body = body_to_send(parcel, now, int(self._settings.event_max_age * 1000))
        headers = {
            "content-type": "application/json",
            "user-agent": f"edged/{__version__}",
            **webhook_headers(webhook_id(parcel.message), now.utc_ms // 1000, body, self._key),
        }
        try:
            answer = self._poster.post(body, headers)
        except PostError as error:
            # What was sent may be what the receiver cannot bear: then another message is tried next.
            return Outcome(Fate.UNAVAILABLE if error.was_sent else Fate.UNREACHABLE, error.reason)
        except ConfigurationError as error:
            return Outcome(Fate.UNREACHABLE, error.what)
        return outcome_of(answer.status, answer.retry_after, self._utc_s)

    def _utc_s(self) -> float:
        return self._clock.moment().utc_ms / 1000


def _key_of(sink_id: str, settings: Settings) -> bytes | None:
    if settings.secret is None:
        return None
    try:
        return signing_key(settings.secret.reveal())
    except ValueError as error:
        raise ConfigurationError(
            f"the secret `{settings.secret.name}` of the sink `{sink_id}` cannot be used: {error}",
            remedy="Make one, for both sides: `echo whsec_$(openssl rand -base64 32)`.",
        ) from None
