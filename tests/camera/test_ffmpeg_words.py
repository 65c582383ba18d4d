"""What the `ffmpeg` program says. The lines are of ffmpeg 5.1.9 and 7.1."""

import pytest

from edged.camera.ffmpeg_words import FfmpegWords

MAPPING = "Stream mapping:\n  Stream #0:0 -> #0:0 ({} -> rawvideo (native))\n"
OUTPUT = (
    "  Stream #0:0(eng): Video: rawvideo (BGR[24] / 0x18524742), bgr24(pc, gbr/bt709/bt709, progressive), "
    "1280x720 [SAR 1:1 DAR 16:9], q=2-31, 164966 kb/s, 29.83 fps, 29.83 tbn (default)\n"
)


def words(text: str) -> FfmpegWords:
    said = FfmpegWords()
    said.feed(text.encode())
    return said


@pytest.mark.parametrize("decoder", ["h264 (native)", "h264 (h264_v4l2m2m)", "hevc (hevc_cuvid)"])
def test_the_decoder_is_the_one_of_the_stream_mapping(decoder: str):
    assert words(MAPPING.format(decoder)).decoder == decoder


def test_size_and_rate_are_those_of_the_pictures_that_come_out():
    said = words(OUTPUT)

    assert said.size_px == (1280, 720)
    assert said.fps == pytest.approx(29.83)


def test_the_size_of_the_input_is_not_taken_for_it():
    assert (
        words(
            "  Stream #0:0: Video: h264 (High), yuv420p(progressive), 640x480, 30 fps, 30 tbr, 90k tbn\n"
        ).size_px
        is None
    )


def test_lines_may_arrive_in_pieces():
    said = FfmpegWords()
    for byte in (MAPPING.format("h264 (native)") + OUTPUT).encode():
        said.feed(bytes([byte]))

    assert said.decoder == "h264 (native)"
    assert said.size_px == (1280, 720)


def test_an_unknown_argument_is_noticed():
    assert words(
        "Unrecognized option 'fps_mode'.\nError splitting the argument list: Option not found\n"
    ).names_unknown_option()


def test_the_codec_is_that_of_the_first_video_that_comes_in():
    said = words(
        "  Stream #0:0[0x1](und): Audio: aac (LC) (mp4a / 0x6134706D), 48000 Hz\n"
        "  Stream #0:1[0x2](und): Video: hevc (Main) (hvc1 / 0x31637668), yuv420p(tv), 1280x720, 25 fps\n"
        "  Stream #0:2: Video: mjpeg (Baseline), yuvj420p, 160x120\n"
        + MAPPING.format("hevc (native)")
        + OUTPUT
    )

    assert said.codec == "hevc"


@pytest.mark.parametrize(
    ("lines", "cause"),
    [
        (
            (
                "[h264_v4l2m2m @ 0x556017805580] Could not find a valid device\n"
                "[h264_v4l2m2m @ 0x556017805580] can't configure decoder\n"
                "Error while opening decoder for input stream #0:0 : Invalid argument\n"
            ),
            "Could not find a valid device",
        ),
        (
            (
                "Impossible to convert between the formats supported by the filter 'a' and the filter 'b'\n"
                "Conversion failed!\n"
            ),
            "Impossible to convert between the formats supported by the filter 'a' and the filter 'b'",
        ),
        ("[vist#0:0 @ 0x1] Something else\n[dec @ 0x2] The last word\n", "The last word"),
    ],
)
def test_the_line_that_says_why_is_preferred_to_the_last(lines: str, cause: str):
    assert words(lines).cause() == cause


def test_a_flood_of_words_is_not_kept():
    said = words("warning\n" * 100_000 + "x" * 100_000)

    assert len(said._lines) < 100
    assert len(said._rest) < 10_000
