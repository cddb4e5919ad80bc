"""Pictures of videos in their own colours: seen as RGB, and changed in their planes.

Pixels that do not change keep their values bit for bit, whatever depth, range, colour
matrix and subsampling they have, and their opacity.
"""

from collections.abc import Iterator
from typing import Any

import av
import numpy as np

# FFmpeg's numbers of matrices that its scaler knows (av.video.reformatter.Colorspace),
# by those in frames; others, and none, are taken for BT.601.
_KNOWN = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9}
_BT601 = 5
COLOUR_TAGS = ("color_range", "color_primaries", "color_trc", "colorspace")
THREADS = 1  # of a conversion: with more, FFmpeg's scaler 9.5 errs in a row at times
NEUTRAL = 2  # levels of 8 bits by which the chroma of greys may differ


def view_of(picture: Any) -> np.ndarray:
    """Returns a picture as uint8 [H, W, 3] RGB.

    Values of HDR (PQ, HLG) are taken as they are, without tone mapping, so that
    `pasted` is the inverse.
    """
    view: np.ndarray = picture.to_ndarray(
        format="rgb24", src_colorspace=_matrix(picture), threads=THREADS
    )
    return view


def pasted(picture: Any, view: np.ndarray, new: np.ndarray) -> Any:
    """Returns a picture with new pixels where a view changed; it may be changed itself.

    The picture of greys stays one.

    Args:
      picture: nothing else may use its memory.
      view: uint8 [H, W, 3] RGB, as `view_of`.
      new: likewise, changed.
    """
    changed = _changed_part(view, new)
    if changed is None:
        return picture
    rows, columns, mask = changed
    is_grey = _is_grey(picture)
    fresh = av.VideoFrame.from_ndarray(new, "rgb24").reformat(
        format=picture.format.name,
        dst_colorspace=_matrix(picture),
        dst_color_range=picture.color_range,
        threads=THREADS,
    )
    for (kind, old), (_, values) in zip(_planes(picture), _planes(fresh), strict=True):
        if kind.is_alpha:
            continue
        if is_grey and kind.is_chroma:  # what is left of colour is the old face's
            values[:] = round(float(np.median(old)))
        steps = tuple(-(-a // b) for a, b in zip(new.shape[:2], old.shape, strict=True))
        part = tuple(
            slice(s.start // n, -(-s.stop // n))
            for s, n in zip((rows, columns), steps, strict=True)
        )
        np.copyto(old[part], values[part], where=_reduced(mask, *steps))
    return picture


def with_whole_chroma(picture: Any) -> Any:
    """Returns a picture whose sides encoders take: odd ones get a pixel more.

    It repeats the last one. The chroma has a sample for it already.
    """
    width, height = picture.width, picture.height
    form = picture.format
    across, down = form.chroma_width(2) == 1, form.chroma_height(2) == 1
    size = (width + (width % 2) * across, height + (height % 2) * down)
    if size == (width, height):
        return picture
    larger = av.VideoFrame(*size, form.name)
    for (_, new), (_, old) in zip(_planes(larger), _planes(picture), strict=True):
        more = [(0, n - m) for n, m in zip(new.shape, old.shape, strict=True)]
        new[:] = np.pad(old, more, "edge")
    for name in ("pts", "time_base", *COLOUR_TAGS):
        setattr(larger, name, getattr(picture, name))
    return larger


def _changed_part(
    view: np.ndarray, new: np.ndarray
) -> tuple[slice, slice, np.ndarray] | None:
    """The rows and columns around all changes, and which pixels there changed.

    They begin at multiples of four, so that they have whole samples of chroma.
    """
    where = (view != new).any(axis=-1)
    rows, columns = (np.flatnonzero(where.any(axis=axis)) for axis in (1, 0))
    if not len(rows):
        return None
    part = tuple(slice(n[0] // 4 * 4, n[-1] + 1) for n in (rows, columns))
    return part[0], part[1], where[part]


def _reduced(mask: np.ndarray, row_step: int, column_step: int) -> np.ndarray:
    """Which samples of a plane have a changed pixel."""
    if row_step == column_step == 1:
        return mask
    height, width = mask.shape
    padded = np.pad(mask, ((0, -height % row_step), (0, -width % column_step)))
    blocks = padded.reshape(
        padded.shape[0] // row_step, row_step, padded.shape[1] // column_step, -1
    )
    return np.asarray(blocks.any(axis=(1, 3)))


def _planes(picture: Any) -> Iterator[tuple[Any, np.ndarray]]:
    """Each component of a planar picture, and its values [H, W] in place."""
    for kind in picture.format.components:
        plane = picture.planes[kind.plane]
        dtype = np.dtype(np.uint8 if kind.bits <= 8 else np.uint16)
        rows = np.frombuffer(plane, dtype).reshape(
            -1, plane.line_size // dtype.itemsize
        )
        yield kind, rows[: kind.height, : kind.width]


def _is_grey(picture: Any) -> bool:
    """Whether a picture has no colour, whatever its format."""
    chroma = [(kind, values) for kind, values in _planes(picture) if kind.is_chroma]
    for kind, values in chroma:
        neutral, slack = 1 << (kind.bits - 1), NEUTRAL << (kind.bits - 8)
        if values.min() < neutral - slack or values.max() > neutral + slack:
            return False
    return bool(chroma)


def _matrix(picture: Any) -> int:
    """The number of a picture's colour matrix in the scaler."""
    return _KNOWN.get(picture.colorspace, _BT601)
