"""Short drawn videos of any codec, depth, range, matrix and geometry."""

import dataclasses
import fractions
import pathlib
from typing import Any

import av
import numpy as np
from av.codec.context import Flags
from av.filter import Graph

from anonygan_jax.anonymise.video.encoding import AS_SOURCE, Encoding
from anonygan_jax.anonymise.video.source import Video
from anonygan_jax.anonymise.video.transcode import transcode

WIDTH, HEIGHT, COUNT = 128, 96, 3
BARS = np.array(
    [(255, 255, 255), (255, 255, 0), (0, 255, 255), (0, 255, 0)]
    + [(255, 0, 255), (255, 0, 0), (0, 0, 255), (0, 0, 0)],
    np.uint8,
)
LIMITED, FULL = 1, 2
BT709, BT601, BT2020 = (1, 1, 1), (6, 6, 6), (9, 14, 9)  # matrix, transfer, primaries
PQ, HLG = (9, 16, 9), (9, 18, 9)
_SCALER = {1: 1, 6: 5, 9: 9, 2: 5}


def bars(width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """Colour bars over a ramp of greys, uint8 [H, W, 3]."""
    columns = np.arange(width)
    image = np.repeat(BARS[columns * 8 // width][None], height, axis=0)
    image[height // 2 :] = np.round(columns * 255 / (width - 1))[None, :, None]
    return image


@dataclasses.dataclass(frozen=True)
class Clip:
    """How a video is written."""

    codec: str = "libx264"
    pix_fmt: str = "yuv420p"
    colours: tuple[int, int, int] = (2, 2, 2)
    range: int = LIMITED
    ratio: tuple[int, int] = (1, 1)
    rotation: tuple[int, bool] | None = None  # degrees, whether it is mirrored
    fields: str = ""  # tff, bff
    options: tuple[tuple[str, str], ...] = ()


def write(path: pathlib.Path, images: list[np.ndarray], how: Clip) -> pathlib.Path:
    """Writes RGB or RGBA images as a video."""
    height, width = images[0].shape[:2]
    with av.open(str(path), "w") as container:
        stream = container.add_stream(how.codec, rate=25, options=dict(how.options))
        stream.width, stream.height, stream.pix_fmt = width, height, how.pix_fmt
        context = stream.codec_context
        context.color_range, context.colorspace = how.range, how.colours[0]
        context.color_trc, context.color_primaries = how.colours[1:]
        context.sample_aspect_ratio = fractions.Fraction(*how.ratio)
        if how.rotation:
            stream.set_display_rotation(how.rotation[0], hflip=how.rotation[1])
        if how.fields:
            context.flags |= Flags.interlaced_dct | Flags.interlaced_me
        for number, image in enumerate(images):
            container.mux(stream.encode(_frame(image, number, how)))
        container.mux(stream.encode(None))
    return path


def _frame(image: np.ndarray, number: int, how: Clip) -> Any:
    """A frame in the colours of a clip."""
    kind = "rgba" if image.shape[2] == 4 else "rgb24"
    frame = av.VideoFrame.from_ndarray(image, kind).reformat(
        format=how.pix_fmt,
        dst_colorspace=_SCALER[how.colours[0]],
        dst_color_range=how.range,
    )
    frame.pts, frame.time_base = number, fractions.Fraction(1, 25)
    frame.color_range = how.range
    if not how.fields:
        return frame
    graph = Graph()
    size = f"{frame.width}x{frame.height}"
    source = f"video_size={size}:pix_fmt={how.pix_fmt}:time_base=1/25:pixel_aspect=1/1"
    nodes = [
        ("buffer", source),
        ("setfield", f"mode={how.fields}"),
        ("buffersink", None),
    ]
    graph.link_nodes(*(graph.add(name, args) for name, args in nodes)).configure()
    graph.vpush(frame)
    return graph.vpull()


def rewritten(
    path: pathlib.Path, suffix: str = ".mp4", how: Encoding = AS_SOURCE
) -> tuple[pathlib.Path, str]:
    """A video written again without a change, and what was said about it."""
    output = path.with_name(f"{path.stem}_result{suffix}")
    video = Video(path, how, suffix)
    with transcode(video, output, False, ()) as (frames, writer):
        for frame in frames:
            writer.frame(frame)
    return output, ", ".join(filter(None, (video.note, writer.note)))


@dataclasses.dataclass(frozen=True)
class Read:
    """A video as FFmpeg reads it."""

    codec: str
    pix_fmt: str
    colours: tuple[int, int, int]
    range: int
    ratio: fractions.Fraction
    fields: int
    frames: list[Any]

    @property
    def images(self) -> list[np.ndarray]:
        """uint8 [H, W, 3] of each frame."""
        return [frame.to_ndarray(format="rgb24") for frame in self.frames]


def read(path: pathlib.Path) -> Read:
    """Reads a video."""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        frames = list(container.decode(stream))
        first, context = frames[0], stream.codec_context
        return Read(
            context.codec.canonical_name,
            str(context.pix_fmt),
            (first.colorspace, first.color_trc, first.color_primaries),
            first.color_range,
            fractions.Fraction(stream.sample_aspect_ratio or 1),
            context.field_order,
            frames,
        )
