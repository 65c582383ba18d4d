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


def test_a_flood_of_words_is_not_kept():
    said = words("warning\n" * 100_000 + "x" * 100_000)

    assert len(said._lines) < 100
    assert len(said._rest) < 10_000
