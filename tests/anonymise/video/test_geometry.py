"""Results have the shape of their sources: of pixels, of frames, of fields."""

import fractions

import av
import cv2
import numpy as np
import pytest
from av.filter import Graph
from coloured_clips import COUNT, Clip, bars, read, rewritten, write

from anonygan_jax.anonymise.video.encoding import AV1, H264, H265, Encoding

# Where the red corner of a picture is shown, by degrees (counterclockwise) and mirror.
CORNERS = {
    (0, True): "top right",
    (90, False): "bottom left",
    (180, False): "bottom right",
    (-90, False): "top right",
    (90, True): "bottom right",
    (180, True): "bottom left",
    (-90, True): "top left",
}


def _corner_of(image: np.ndarray) -> str:
    """Where a picture is red."""
    height, width = (n // 2 for n in image.shape[:2])
    corners = {
        "top left": image[:height, :width],
        "top right": image[:height, width:],
        "bottom left": image[height:, :width],
        "bottom right": image[height:, width:],
    }
    return max(corners, key=lambda name: corners[name][..., 0].astype(int).sum())


@pytest.mark.parametrize("rotation", CORNERS)
def test_turned_and_mirrored_videos_come_out_upright(rotation, tmp_path):
    image = np.zeros((64, 96, 3), np.uint8)
    image[:32, :48] = (255, 0, 0)
    how = Clip(rotation=rotation, ratio=(4, 3))
    path = write(tmp_path / "a.mp4", [image] * COUNT, how)
    result = read(rewritten(path)[0])
    is_turned = abs(rotation[0]) == 90
    assert result.images[0].shape[:2] == ((96, 64) if is_turned else (64, 96))
    assert _corner_of(result.images[0]) == CORNERS[rotation]
    assert result.frames[0].rotation == 0
    ratio = fractions.Fraction(4, 3)
    assert result.ratio == (1 / ratio if is_turned else ratio)


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
@pytest.mark.parametrize("codec", [H264, H265])
def test_the_shape_of_pixels_stays(suffix, codec, tmp_path):
    path = write(tmp_path / "a.mkv", [bars()] * COUNT, Clip(ratio=(16, 11)))
    output, note = rewritten(path, suffix, Encoding(codec))
    assert read(output).ratio == fractions.Fraction(16, 11)
    assert note == ""


def test_pixels_are_made_square_where_a_codec_does_not_tell(tmp_path):
    path = write(tmp_path / "a.mkv", [bars(120, 90)] * COUNT, Clip(ratio=(16, 15)))
    output, note = rewritten(path, ".webm")
    result = read(output)
    assert (result.ratio, result.images[0].shape) == (1, (90, 128, 3))
    assert note == "pixels made square"


def _is_top_first(frame) -> bool:
    """Whether FFmpeg says so of an interlaced frame."""
    graph = Graph()
    size = f"{frame.width}x{frame.height}"
    source = f"video_size={size}:pix_fmt={frame.format.name}:time_base=1/25"
    nodes = [("buffer", f"{source}:pixel_aspect=1/1"), ("showinfo", None)]
    nodes.append(("buffersink", None))
    graph.link_nodes(*(graph.add(name, args) for name, args in nodes)).configure()
    av.logging.set_level(av.logging.INFO)
    try:
        with av.logging.Capture() as lines:
            graph.vpush(frame)
            graph.vpull()
    finally:
        av.logging.set_level(None)
    return any(" i:T " in text for _, _, text in lines)


def _combed(height: int = 96, width: int = 128) -> list[np.ndarray]:
    """Frames whose fields are half a step apart: a white block that moves."""
    frames = []
    for number in range(6):
        image = np.zeros((height, width, 3), np.uint8)
        for field in (0, 1):
            left = 10 + 16 * number + 8 * field
            image[field::2, left : left + 24] = 255
        frames.append(image)
    return frames


@pytest.mark.parametrize("fields", ["tff", "bff"])
@pytest.mark.parametrize("codec", ["libx264", "mpeg2video"])
def test_interlaced_videos_stay_so(codec, fields, tmp_path):
    path = write(tmp_path / "a.ts", _combed(), Clip(codec, fields=fields))
    output, note = rewritten(path)
    result = read(output)
    assert note == ""
    assert all(frame.interlaced_frame for frame in result.frames)
    assert _is_top_first(result.frames[0]) == (fields == "tff")


def test_where_fields_cannot_be_they_are_made_whole_and_that_is_said(tmp_path):
    path = write(tmp_path / "a.ts", _combed(), Clip(fields="tff"))
    output, note = rewritten(path, how=Encoding(codec=H265))
    source, result = read(path), read(output)
    assert note == "deinterlaced"
    assert len(result.frames) == len(source.frames)
    assert not any(frame.interlaced_frame for frame in result.frames)

    def combs(image: np.ndarray) -> float:
        rows = image[..., 0].astype(int)
        return float(np.abs(rows[2:] + rows[:-2] - 2 * rows[1:-1]).mean())

    assert combs(result.images[3]) < combs(source.images[3]) / 3
    times = [[float(f.time) for f in r.frames] for r in (source, result)]
    np.testing.assert_allclose(np.diff(times[0]), np.diff(times[1]), atol=0.002)


def test_frames_of_another_size_keep_their_shape(tmp_path):
    def circle(height: int, width: int) -> np.ndarray:
        image = np.zeros((height, width, 3), np.uint8)
        cv2.circle(
            image,
            (width // 2, height // 2),
            min(height, width) // 3,
            (255, 255, 255),
            -1,
        )
        return image

    parts = [circle(96, 160), circle(160, 96), circle(96, 160)]
    for number, image in enumerate(parts):
        write(tmp_path / f"{number}.ts", [image] * COUNT, Clip())
    joined = b"".join((tmp_path / f"{n}.ts").read_bytes() for n in range(len(parts)))
    path = tmp_path / "a.ts"
    path.write_bytes(joined)
    output, note = rewritten(path)
    images = read(output).images
    assert f"{COUNT} frames of another size, with bars around" in note
    assert {image.shape[:2] for image in images} == {(96, 160)}
    for image in images:
        rows, columns = np.nonzero(image[..., 0] > 128)
        assert abs(np.ptp(rows) - np.ptp(columns)) <= 2


@pytest.mark.parametrize(
    ("codec", "pix_fmt", "wanted"),
    [("libx264", "yuv444p", (65, 97)), ("ffv1", "yuv420p", (66, 98))],
)
def test_odd_sides_stay_where_chroma_is_whole_else_one_is_repeated(
    codec, pix_fmt, wanted, tmp_path
):
    path = write(tmp_path / "a.mkv", [bars(97, 65)] * COUNT, Clip(codec, pix_fmt))
    result = read(rewritten(path, ".mkv")[0])
    assert result.images[0].shape[:2] == wanted
    assert result.images[0][:, -1].max() > 200  # no black edge


@pytest.mark.parametrize("codec", [H265, AV1])
def test_odd_sides_of_other_codecs(codec, tmp_path):
    path = write(tmp_path / "a.mkv", [bars(97, 65)] * COUNT, Clip("ffv1"))
    result = read(rewritten(path, ".mkv", Encoding(codec=codec))[0])
    assert result.images[0].shape[:2] == (66, 98)
