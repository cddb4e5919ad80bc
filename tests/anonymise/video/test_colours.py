"""Results have the levels, colours, depth and opacity of their sources."""

import fractions

import av
import numpy as np
import pytest
from av.sidedata.sidedata import Type
from coloured_clips import (
    BT601,
    BT709,
    BT2020,
    COUNT,
    FULL,
    HLG,
    LIMITED,
    PQ,
    Clip,
    bars,
    read,
    rewritten,
    write,
)

from anonygan_jax.anonymise.video.encoders import Encoder
from anonygan_jax.anonymise.video.encoding import H264, Encoding
from anonygan_jax.anonymise.video.light import x265_light
from anonygan_jax.anonymise.video.pictures import view_of
from anonygan_jax.anonymise.video.stage import Stage

VP8 = (("b", "4M"), ("crf", "4"), ("auto-alt-ref", "0"))
QUIET = ("x265-params", "log-level=error")
DISPLAY = "master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)"
LIGHT = f"{DISPLAY}L(10000000,50):max-cll=1000,400"
LEVELS = 2  # of 255 that colours may change


def _bars_of(image: np.ndarray) -> np.ndarray:
    """The colour in the middle of each bar, [8, 3]."""
    height, width = image.shape[0] // 2, image.shape[1] // 8
    middles = image[height // 4 : -height - height // 4, width // 2 :: width]
    return np.median(middles, axis=0)


CLIPS = {
    "limited": ("a.mp4", Clip(range=LIMITED)),
    "full": ("a.mp4", Clip(range=FULL)),
    "full 709": ("a.mp4", Clip(range=FULL, colours=BT709)),
    "limited 709": ("a.mp4", Clip(colours=BT709)),
    "limited 601": ("a.mov", Clip(colours=BT601)),
    "limited 2020": ("a.mkv", Clip(colours=BT2020)),
    "422": ("a.mp4", Clip(pix_fmt="yuv422p", colours=BT709)),
    "444": ("a.mp4", Clip(pix_fmt="yuv444p", colours=BT709)),
    "10 bits": ("a.mp4", Clip(pix_fmt="yuv420p10le", colours=BT709)),
    "hevc": ("a.mp4", Clip("libx265", colours=BT709, options=(QUIET,))),
    "full hevc": ("a.mkv", Clip("libx265", range=FULL, options=(QUIET,))),
    "mjpeg": ("a.avi", Clip("mjpeg", "yuvj420p", range=FULL, options=(("q", "2"),))),
    "vp9": ("a.webm", Clip("libvpx-vp9", colours=BT709, options=(("crf", "4"),))),
    "full vp9": ("a.webm", Clip("libvpx-vp9", range=FULL, options=(("crf", "4"),))),
    "vp8": ("a.webm", Clip("libvpx", options=VP8)),
    "prores": ("a.mov", Clip("prores_ks", "yuv422p10le", colours=BT709)),
    "mpeg2": ("a.mpg", Clip("mpeg2video", options=(("q", "2"),))),
    "rgb": ("a.mkv", Clip("ffv1", "bgr0", range=FULL)),
}


@pytest.mark.parametrize("name", CLIPS)
def test_levels_and_colours_stay(name, tmp_path):
    file, how = CLIPS[name]
    path = write(tmp_path / file, [bars()] * COUNT, how)
    suffix = path.suffix if path.suffix in (".mov", ".mkv", ".webm") else ".mp4"
    output, note = rewritten(path, suffix)
    source, result = read(path), read(output)
    assert note == ""
    assert len(result.frames) == COUNT
    for old, new in zip(source.images, result.images, strict=True):
        np.testing.assert_allclose(_bars_of(new), _bars_of(old), atol=LEVELS)
        assert abs(int(new.max()) - int(old.max())) <= LEVELS
        assert abs(int(new.min()) - int(old.min())) <= LEVELS
    if name != "rgb":  # becomes YUV
        assert result.colours == source.colours
        assert (result.range or LIMITED) == (source.range or LIMITED)


@pytest.mark.parametrize("colours", [PQ, HLG])
def test_hdr_stays_hdr_in_ten_bits(colours, tmp_path):
    options = (("x265-params", f"log-level=error:{LIGHT}"),)
    how = Clip("libx265", "yuv420p10le", colours, options=options)
    path = write(tmp_path / "a.mov", [bars()] * COUNT, how)
    output, _ = rewritten(path, ".mov")
    source, result = read(path), read(output)
    assert (result.codec, result.pix_fmt) == ("hevc", "yuv420p10le")
    assert result.colours == colours
    assert x265_light(result.frames[0]) == LIGHT
    for kind in (Type.MASTERING_DISPLAY_METADATA, Type.CONTENT_LIGHT_LEVEL):
        told = [bytes(r.frames[0].side_data[kind])[-8:] for r in (source, result)]
        assert told[0] == told[1]
    old, new = (r.frames[0].to_ndarray(format="yuv420p10le") for r in (source, result))
    assert np.abs(old.astype(int) - new).mean() < 4 * LEVELS


def test_a_stream_without_light_has_none(tmp_path):
    path = write(tmp_path / "a.mp4", [bars()], Clip())
    assert x265_light(read(path).frames[0]) == ""


def test_hdr_becomes_sdr_if_asked(tmp_path):
    options = (("x265-params", f"log-level=error:{LIGHT}"),)
    how = Clip("libx265", "yuv420p10le", PQ, options=options)
    grey = [np.full((96, 128, 3), 126, np.uint8)] * COUNT  # PQ: about 80 cd/m2
    path = write(tmp_path / "a.mp4", grey, how)
    output, _ = rewritten(path, how=Encoding(is_sdr=True))
    result = read(output)
    assert result.pix_fmt == "yuv420p"
    assert result.colours == (1, 1, 1)
    # SDR's white is 203 cd/m2 (ITU-R BT.2408): light of 80 is (80 / 203) ** (1 / 2.4).
    wanted = 255 * (80 / 203) ** (1 / 2.4)
    assert abs(float(result.images[0].mean()) - wanted) < 12


@pytest.mark.parametrize(
    ("file", "how"),
    [
        ("a.mov", Clip("prores_ks", "yuva444p10le", options=(("profile", "4"),))),
        ("a.webm", Clip("libvpx-vp9", "yuva420p", options=(("crf", "10"),))),
        (
            "b.webm",
            Clip("libvpx", "yuva420p", options=(("b", "4M"), ("auto-alt-ref", "0"))),
        ),
    ],
)
def test_opacity_stays_where_the_result_has_it(file, how, tmp_path):
    opacity = np.zeros((96, 128, 1), np.uint8)
    opacity[:, 40:] = 255
    opacity[:, 90:] = 128
    image = np.concatenate([bars(), opacity], axis=2)
    path = write(tmp_path / file, [image] * COUNT, how)
    output, note = rewritten(path, path.suffix)
    assert note == ""
    found = _opacity_of(output, how.codec)
    for place, wanted in ((20, 0), (65, 255), (110, 128)):
        assert abs(int(found[48, place]) - wanted) <= LEVELS


def _opacity_of(path, codec) -> np.ndarray:
    """Opacity of the first frame, by a decoder that reads it, uint8 [H, W]."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        decoder = None
        if codec.startswith("libvpx"):
            decoder = av.CodecContext.create(codec, "r")
        for packet in container.demux(stream):
            frames = decoder.decode(packet) if decoder else packet.decode()
            if frames:
                return frames[0].to_ndarray(format="rgba")[..., 3]
    raise AssertionError("no frame")


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuvj420p", "yuv422p", "nv12"])
@pytest.mark.parametrize("tags", [(0, 0, 0), (3, 3, 3), (14, 9, 22), (10, 16, 9)])
def test_odd_tags_fail_no_video(pix_fmt, tags, tmp_path):
    path = write(tmp_path / "a.mp4", [bars()], Clip())
    encoder = Encoder("libx264", "h264", "yuv420p", {})
    frame = read(path).frames[0].reformat(format=pix_fmt)
    frame.time_base, frame.pts = fractions.Fraction(1, 25), 0
    frame.colorspace, frame.color_trc, frame.color_primaries = tags
    stage = Stage(encoder, None)
    (picture,) = [*stage(frame), *stage.end()]
    assert np.abs(view_of(picture).astype(int) - bars()).mean() < 12


def test_opacity_that_is_lost_is_named(tmp_path):
    image = np.concatenate([bars(), np.full((96, 128, 1), 255, np.uint8)], axis=2)
    how = Clip("prores_ks", "yuva444p10le", options=(("profile", "4"),))
    path = write(tmp_path / "a.mov", [image] * COUNT, how)
    output, note = rewritten(path, ".mov", Encoding(codec=H264))
    assert note == "its opacity is left out"
    assert read(output).codec == "h264"
