"""What a broker keeps of us: the retained states of the device and its feeds, beside the outbox."""

import threading
from collections.abc import Callable

import msgspec

from edged.delivery.kept_topics import is_of_sink, is_told
from edged.delivery.topics import OFF, ON, Topics
from edged.domain.device_state import DeviceState
from edged.domain.event import NamespacePresence
from edged.domain.face_image import FaceImage
from edged.domain.feed_state import FeedState
from edged.publish.latest_states import LatestStates, Saying
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
        self._shown: dict[str, str] = {}
        """By feed: the topic that shows a face."""
        self._lock = threading.Lock()

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
        """Tell who is in a namespace, where the sink is told of people there at all."""
        if is_told(self._settings, "presence", presence.namespace):
            self._tell(self._topics.namespace_presence(presence.namespace), msgspec.json.encode(presence))

    def show_face(self, image: FaceImage) -> None:
        """Show the last decided face of a feed, where the settings want it.

        With `image: sent` the next connection is not told of it again: it would show somebody as if they had
        just been there.
        """
        if self._settings.image == "none" or not is_of_sink(self._settings, image.namespace):
            return
        topic = self._topics.image(image.namespace, image.feed_id)
        with self._lock:
            self._shown[image.feed_id] = topic
            self._put_face(topic, image.jpeg)

    def hide_face(self, feed_id: str) -> None:
        """Take back the picture that is shown of a feed; who holds a copy is sent an empty one."""
        with self._lock:
            topic = self._shown.pop(feed_id, None)
            if topic is not None:
                self._put_face(topic, b"")

    def _put_face(self, topic: str, jpeg: bytes) -> None:
        self.latest.put(Saying(topic, jpeg, retain=self._settings.image == "retained"))
        self._ring()

    def _tell(self, topic: str, body: bytes) -> None:
        self.latest.put(Saying(topic, body))
        self._ring()
