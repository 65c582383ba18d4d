"""Why a stream does not open: answers as cameras give them, from a port of the test's own."""

import pytest

from bench.ports import listening
from edged.camera.rtsp_probe import codec_of, video_codec, why_not
from edged.domain.errors import CameraError, CameraFault

AUDIO = "v=0\r\ns=x\r\nm=audio 0 RTP/AVP 0\r\na=control:audio\r\n"


def an_answer(status: str, *headers: str, body: str = "") -> bytes:
    lines = [f"RTSP/1.0 {status}", "CSeq: 1", *headers, f"Content-Length: {len(body)}", "", ""]
    return ("\r\n".join(lines) + body).encode()


def told(answer: bytes | None, timeout_s: float = 5) -> CameraError:
    with listening(answer) as port:
        return why_not(f"rtsp://127.0.0.1:{port}/live", None, "tcp", timeout_s)


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (an_answer("401 Unauthorized", 'WWW-Authenticate: Basic realm="x"'), CameraFault.UNAUTHORISED),
        (an_answer("403 Forbidden"), CameraFault.UNAUTHORISED),
        (an_answer("404 Not Found"), CameraFault.NOT_FOUND),
        (an_answer("454 Session Not Found"), CameraFault.NOT_FOUND),
        (an_answer("503 Service Unavailable"), CameraFault.NOT_VIDEO),
        (an_answer("200 OK", body=AUDIO), CameraFault.NOT_VIDEO),
        (b"SSH-2.0-OpenSSH_9.2\r\n", CameraFault.NOT_VIDEO),
        (b"RTSP/nonsense\r\n\r\n", CameraFault.NOT_VIDEO),
        (b"RTSP/1.0 200 OK\r\nContent-Length: many\r\n\r\n", CameraFault.NOT_VIDEO),
        (b"", CameraFault.NOT_VIDEO),
    ],
)
def test_each_answer_has_its_fault(answer: bytes, fault: CameraFault):
    assert told(answer).fault is fault


def test_silence_is_told_when_the_time_is_over():
    assert told(None, timeout_s=0.2).fault is CameraFault.SILENT


def test_a_body_that_never_becomes_whole_does_not_hold_us():
    answer = b"RTSP/1.0 200 OK\r\nContent-Length: 100000\r\n\r\nv=0"

    assert told(answer).fault in {CameraFault.NOT_VIDEO, CameraFault.SILENT}


def test_a_flood_is_not_read_to_its_end():
    assert told(b"RTSP/1.0 200 OK\r\n" + b"X: y\r\n" * 100_000).fault is CameraFault.NOT_VIDEO


@pytest.mark.parametrize("url", ["rtsp://127.0.0.1:99999/live", "rtsp:///live", "rtsp://[::1/live"])
def test_an_address_that_is_none_is_unreachable_and_no_traceback(url: str):
    assert why_not(url, None, "tcp", 0.5).fault is CameraFault.UNREACHABLE


@pytest.mark.parametrize(
    ("description", "codec"),
    [
        ("m=video 0 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n", "h264"),
        ("m=audio 0 RTP/AVP 8\r\nm=video 0 RTP/AVP 98 99\r\na=rtpmap:98 h265/90000\r\n", "hevc"),
        ("m=video 0 RTP/AVP 26\r\na=control:trackID=1\r\n", "mjpeg"),
        ("m=video 0 RTP/AVP 97\r\na=rtpmap:97 MP4V-ES/90000\r\n", "mpeg4"),
        ("m=video 0 RTP/AVP 96\nm=video 0 RTP/AVP 97\na=rtpmap:96 VP8/90000\n", "unknown"),
        (AUDIO, None),
    ],
)
def test_the_codec_is_that_of_the_first_video_in_ffmpegs_words(description: str, codec: str | None):
    assert video_codec(description) == codec


def test_a_camera_that_does_not_say_its_codec_is_told_as_any_other_fault():
    for answer, fault in (
        (an_answer("404 Not Found"), CameraFault.NOT_FOUND),
        (an_answer("200 OK", body=AUDIO), CameraFault.NOT_VIDEO),
    ):
        with listening(answer) as port, pytest.raises(CameraError) as caught:
            codec_of(f"rtsp://127.0.0.1:{port}/live", None, 5)
        assert caught.value.fault is fault
