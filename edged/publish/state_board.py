"""What a broker keeps of us: the retained states of the device and its feeds, beside the outbox."""

from collections.abc import Callable

import msgspec

from edged.delivery.topics import OFF, ON, Topics
from edged.domain.device_state import DeviceState
from edged.domain.event import NamespacePresence
from edged.domain.face_image import FaceImage
from edged.domain.feed_state import FeedState
from edged.publish.latest_states import LatestStates
from edged.settings.sinks import MqttSink as Settings


class StateBoard:
    """Takes states from any thread and keeps the latest of each topic for the sink's thread to send.

    Args:
        settings: the sink's.
        topics: where states go.
        ring: wakes the sink's thread.
    """

    def __init__(self, settings: Settings, topics: Topics, ring: Callable[[], None]) -> None:
        self._settings = settings
        self._topics = topics
        self._ring = ring
        self.latest = LatestStates()

    def report_feed(self, state: FeedState) -> None:
        """Tell a feed's health; sent when there is a connection."""
        self._tell(self._topics.feed_state(state.feed_id), msgspec.json.encode(state))

    def report_device(self, state: DeviceState) -> None:
        """Tell the machine's health."""
        self._tell(self._topics.device_state, msgspec.json.encode(state))

    def report_enabled(self, feed_id: str, *, is_on: bool) -> None:
        """Tell how a feed's switch stands."""
        self._tell(self._topics.feed_enabled(feed_id), ON if is_on else OFF)

    def report_namespace(self, presence: NamespacePresence) -> None:
        """Tell who is in a namespace, where the sink is told of the namespace at all."""
        if not self._settings.namespaces or presence.namespace in self._settings.namespaces:
            self._tell(self._topics.namespace_presence(presence.namespace), msgspec.json.encode(presence))

    def show_face(self, image: FaceImage) -> None:
        """Show the last decided face of a feed, where the settings want it."""

    def hide_face(self, feed_id: str) -> None:
        """Take back the picture that is shown of a feed."""

    def _tell(self, topic: str, body: bytes) -> None:
        self.latest.put(topic, body)
        self._ring()
