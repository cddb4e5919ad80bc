"""Decoded frames made ready: upright, of one size and one pixel format.

All of it is done by FFmpeg's filters. What they give is a copy that may be changed.
"""

import fractions
from collections.abc import Iterator
from typing import Any

import numpy as np
from av.error import BlockingIOError as NotYet
from av.error import EOFError as AtEnd
from av.filter import Graph
from av.sidedata.sidedata import Type

from anonygan_jax.anonymise.video.encoders import Encoder
from anonygan_jax.anonymise.video.pictures import THREADS, with_whole_chroma

HDR = (16, 18)  # FFmpeg's numbers of the transfer functions of PQ and HLG
_OF_HDR = ("MASTERING_DISPLAY_METADATA", "CONTENT_LIGHT_LEVEL")
# FFmpeg's numbers of colour tags; the matrices are those of its scaler.
_RESERVED, _UNSPECIFIED, _LOG, _MATRICES = (0, 3), 2, 9, (0, 1, 2, 4, 5, 6, 7, 9)
_SQUARE = fractions.Fraction(1)
_SDR = "transfer=bt709:out_primaries=bt709:out_color_matrix=bt709:out_range=tv"
# Filters by the upper left of the display matrix: signs of its four numbers.
_TURNS: dict[tuple[int, ...], tuple[tuple[str, str], ...]] = {
    (1, 0, 0, 1): (),
    (-1, 0, 0, 1): (("hflip", ""),),
    (1, 0, 0, -1): (("vflip", ""),),
    (-1, 0, 0, -1): (("hflip", ""), ("vflip", "")),
    (0, 1, -1, 0): (("transpose", "clock"),),
    (0, -1, 1, 0): (("transpose", "cclock"),),
    (0, 1, 1, 0): (("transpose", "cclock_flip"),),
    (0, -1, -1, 0): (("transpose", "clock_flip"),),
}


class Stage:
    """Makes the frames of one video ready.

    Attributes:
      ratio: width to height of a pixel, as far as it is known yet.
    """

    def __init__(self, encoder: Encoder, ratio: Any) -> None:
        """Starts a video.

        Args:
          encoder: of the pictures.
          ratio: width to height of a stored pixel, if it is told.
        """
        self._encoder, self._stored = encoder, fractions.Fraction(ratio or 1)
        self._graph: Graph | None = None
        self._key: object = None
        self._size: tuple[int, int] | None = None
        self._num_letterboxed, self._is_other = 0, False
        self._is_deinterlaced = self._is_square = False
        self.ratio = self._stored

    def __call__(self, frame: Any) -> Iterator[Any]:
        """Yields what is ready once a frame is added: with deinterlacing, later ones.

        Raises:
          FFmpegError: a filter cannot use the frame.
        """
        _clear_odd_tags(frame, self._encoder.pix_fmt)
        key = (
            *(frame.width, frame.height, frame.format.name, _turns_of(frame)),
            *(frame.colorspace, frame.color_range, frame.color_trc),
            frame.interlaced_frame and not self._encoder.keeps_fields,
        )
        if key != self._key:
            yield from self.end()
            self._key, self._graph = key, self._made(frame)
        assert self._graph is not None
        self._graph.vpush(frame)
        yield from self._ready()

    def end(self) -> Iterator[Any]:
        """Yields what is left."""
        if self._graph is not None:
            self._graph.vpush(None)
            yield from self._ready()
            self._graph = None

    def _ready(self) -> Iterator[Any]:
        """What the filters have made."""
        assert self._graph is not None
        while True:
            try:
                picture = self._graph.vpull()
            except (NotYet, AtEnd):
                return
            self._num_letterboxed += self._is_other
            yield with_whole_chroma(picture)

    def note(self) -> str:
        """Returns what is not as in the source; "" if all is."""
        number = self._num_letterboxed
        notes = [f"{number} frames of another size, with bars around" * (number > 0)]
        notes.append("deinterlaced" * self._is_deinterlaced)
        notes.append("pixels made square" * self._is_square)
        return ", ".join(filter(None, notes))

    def _made(self, frame: Any) -> Graph:
        """The filters for frames like one."""
        steps = [("buffer", self._source(frame)), *self._whole(frame)]
        steps += [*_turns_of(frame), *self._colours(frame), *self._resized(frame)]
        steps += [("format", self._encoder.pix_fmt), ("copy", ""), ("buffersink", "")]
        graph = Graph()
        graph.threads = THREADS
        graph.link_nodes(*(graph.add(name, args or None) for name, args in steps))
        graph.configure()
        return graph

    def _resized(self, frame: Any) -> list[tuple[str, str]]:
        """Filters that give an upright frame the size of the first one."""
        is_turned = any(name == "transpose" for name, _ in _turns_of(frame))
        width, height = frame.width, frame.height
        ratio = self._stored
        if is_turned:
            width, height, ratio = height, width, 1 / ratio
        if not self._encoder.keeps_ratio and ratio != 1:
            width, ratio, self._is_square = round(width * ratio), _SQUARE, True
        if self._size is None:
            self._size, self.ratio = (width, height), ratio
        self._is_other = (width, height) != self._size
        wanted = f"{self._size[0]}:{self._size[1]}"
        square = [("scale", f"{width}:{height}"), ("setsar", "1")] * self._is_square
        fitted = f"{wanted}:force_original_aspect_ratio=decrease"
        bars = [("scale", fitted), ("pad", f"{wanted}:-1:-1")] * self._is_other
        return [*square, *bars]

    def _whole(self, frame: Any) -> list[tuple[str, str]]:
        """Filters that make frames of two fields whole, where they cannot be kept."""
        is_interlaced = self._encoder.is_interlaced or frame.interlaced_frame
        if self._encoder.keeps_fields or not is_interlaced:
            return []
        self._is_deinterlaced = True
        return [("bwdif", "send_frame:deint=interlaced")]

    def _colours(self, frame: Any) -> list[tuple[str, str]]:
        """Filters that make usual colours of RGB, and SDR of HDR if that is wanted.

        With what HDR tells of its brightest light, the scaler would make all dark.
        """
        if frame.format.is_rgb:  # players take larger videos for BT.709, told or not
            return [("scale", "out_color_matrix=bt709:out_range=tv")]
        if not self._encoder.is_sdr or frame.color_trc not in HDR:
            return []
        deleted = [("sidedata", f"delete:type={kind}") for kind in _OF_HDR]
        return [*deleted, ("scale", f"out_{_SDR}")]

    def _source(self, frame: Any) -> str:
        """What the first filter is told."""
        base = frame.time_base
        return (
            f"video_size={frame.width}x{frame.height}:pix_fmt={frame.format.name}"
            f":time_base={base.numerator}/{base.denominator}"
            f":pixel_aspect={self._stored.numerator}/{self._stored.denominator}"
            f":colorspace={frame.colorspace}:range={frame.color_range}"
        )


def _clear_odd_tags(frame: Any, pix_fmt: str) -> None:
    """Sets colour tags to unspecified that would fail the filters or the encoder."""
    is_converted, known = frame.format.name != pix_fmt, _MATRICES
    if not is_converted:  # others fail the scaler alone
        known = (*known, 8, *range(10, 16))
    if frame.colorspace not in known or not (frame.format.is_rgb or frame.colorspace):
        frame.colorspace = _UNSPECIFIED
    if frame.color_trc in _RESERVED or (is_converted and frame.color_trc == _LOG):
        frame.color_trc = _UNSPECIFIED
    if frame.color_primaries in _RESERVED:
        frame.color_primaries = _UNSPECIFIED


def _turns_of(frame: Any) -> tuple[tuple[str, str], ...]:
    """Filters that make a frame upright, as its container says."""
    data = frame.side_data.get(Type.DISPLAYMATRIX)
    if data is None:
        return ()
    a, b, _, c, d = np.frombuffer(bytes(data), np.int32)[:5]
    largest = max(abs(int(n)) for n in (a, b, c, d)) / 2
    signs = tuple(int(np.sign(n)) if abs(int(n)) > largest else 0 for n in (a, b, c, d))
    return _TURNS.get(signs, ())
