"""An RTSP server of GStreamer's, run by the system's Python as a process of its own; see bench/rtsp.py.

Prints the port it took on one line of standard output, then serves until it is killed. A clip is an
H.264 byte stream in which every picture begins with an access unit delimiter; each client gets it from
its first picture, at real time.
"""

import argparse
import os

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

DELIMITER = b"\x00\x00\x00\x01\x09"
LAUNCH = (
    "( appsrc name=clip is-live=true format=time "
    "caps=video/x-h264,stream-format=byte-stream,alignment=au,framerate={fps}/1 "
    "! h264parse ! rtph264pay name=pay0 pt=96 config-interval=-1 )"
)


def pictures_of(path):
    """The pictures (access units) of a byte stream."""
    with open(path, "rb") as clip:  # noqa: PTH123
        return [DELIMITER + unit for unit in clip.read().split(DELIMITER)[1:]]


class Player:
    """Feeds one client: the first clips once each, the last for ever if so asked."""

    def __init__(self, clips, fps, *, loop):
        self._pictures = [picture for clip in clips[:-1] for picture in clip]
        self._last = clips[-1]
        self._loop = loop
        self._step_ns = Gst.SECOND // fps
        self._next = 0

    def need_data(self, source, _length):
        """Push the next picture, or say that there is none."""
        picture = self._picture()
        if picture is None:
            source.emit("end-of-stream")
            return
        buffer = Gst.Buffer.new_wrapped(picture)
        buffer.pts = buffer.dts = self._next * self._step_ns
        buffer.duration = self._step_ns
        self._next += 1
        source.emit("push-buffer", buffer)

    def _picture(self):
        if self._next < len(self._pictures):
            return self._pictures[self._next]
        behind = self._next - len(self._pictures)
        if behind >= len(self._last) and not self._loop:
            return None
        return self._last[behind % len(self._last)]


class Factory(GstRtspServer.RTSPMediaFactory):
    """Makes a stream for each client."""

    def __init__(self, clips, fps, *, loop):
        super().__init__()
        self._clips, self._fps, self._loop = clips, fps, loop
        self.set_shared(False)

    def do_create_element(self, _url):
        """Build the client's own stream."""
        element = Gst.parse_launch(LAUNCH.format(fps=self._fps))
        source = element.get_by_name("clip")
        source.connect("need-data", Player(self._clips, self._fps, loop=self._loop).need_data)
        return element


def protect(server, factory, user, password, scheme):
    """Ask for a user and a password, by Basic or Digest."""
    auth = GstRtspServer.RTSPAuth()
    token = GstRtspServer.RTSPToken()
    token.set_string("media.factory.role", "user")
    if scheme == "digest":
        auth.set_supported_methods(2)
        auth.add_digest(user, password, token)
    else:
        auth.set_supported_methods(1)
        auth.add_basic(GstRtspServer.RTSPAuth.make_basic(user, password), token)
    server.set_auth(auth)
    permissions = GstRtspServer.RTSPPermissions()
    permissions.add_permission_for_role("user", "media.factory.access", True)
    permissions.add_permission_for_role("user", "media.factory.construct", True)
    factory.set_permissions(permissions)


def main():
    """Serve until killed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("clips", nargs="+", help="played in order")
    parser.add_argument("--fps", type=int, default=30)
    parser.add_argument("--loop", action="store_true", help="play the last clip for ever")
    parser.add_argument("--path", default="/live")
    parser.add_argument("--port", default="0")
    parser.add_argument("--scheme", choices=["basic", "digest"])
    parser.add_argument("--udp-only", action="store_true")
    arguments = parser.parse_args()

    Gst.init(None)
    factory = Factory([pictures_of(clip) for clip in arguments.clips], arguments.fps, loop=arguments.loop)
    if arguments.udp_only:
        gi.require_version("GstRtsp", "1.0")
        from gi.repository import GstRtsp  # noqa: PLC0415

        factory.set_protocols(GstRtsp.RTSPLowerTrans.UDP)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(arguments.port)
    if arguments.scheme:
        # Through the environment, so that the tests of process lists find only what edged gives away.
        user, password = os.environ["RTSP_USER"], os.environ["RTSP_PASSWORD"]
        protect(server, factory, user, password, arguments.scheme)
    server.get_mount_points().add_factory(arguments.path, factory)
    server.attach(None)
    print(server.get_bound_port(), flush=True)  # noqa: T201
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
