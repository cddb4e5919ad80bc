"""The region of a face that is hidden, from its landmarks.

`models.face_mask` computes the same on a device, for training.
"""

from typing import Any

import numpy as np
from jaxtyping import Bool, Float

# Regions: the release's polygon, and a contour nearer to the face.
PAPER_POLYGON, FACE_CONTOUR = "face", "outline"

# Corners of the release's: (x of point 0, y of point 19), the jaw, (x of 16, y of 24).
_X_POINTS = (0, *range(17), 16)
_Y_POINTS = (19, *range(17), 24)

ABOVE_BROWS = 0.06  # of the distance of points 0 and 16: brows are as thick
BEYOND_JAW = 0.015  # of the distance from the nose: where landmarks err inwards


def mask_polygon(
    points_xy: Float[Any, "*B 68 2"], region: str = PAPER_POLYGON
) -> Float[Any, "*B P 2"]:
    """Returns float [..., 19 or 27, 2]: corners of the face polygon.

    They are an array of NumPy or JAX, as the landmarks are.

    Args:
      points_xy: float [..., 68, 2] landmarks.
      region: PAPER_POLYGON, with corners beside the temples; or FACE_CONTOUR, without
        those corners, which are hair as a rule, and with all of jaw and brows.

    Source: PAPER_POLYGON, the official release, as CIAGAN before it; FACE_CONTOUR,
    ours.
    """
    xp = points_xy.__array_namespace__()
    if region == PAPER_POLYGON:
        x = points_xy[..., _X_POINTS, 0]
        y = points_xy[..., _Y_POINTS, 1]
        return xp.stack([x, y], axis=-1)
    across = points_xy[..., 16:17, :] - points_xy[..., :1, :]
    up = points_xy[..., 36:48, :].mean(-2, keepdims=True) - points_xy[..., 8:9, :]
    width, length = (xp.linalg.norm(v, axis=-1, keepdims=True) for v in (across, up))
    brows = points_xy[..., 26:16:-1, :] + ABOVE_BROWS * width * up / (length + 1e-6)
    middle = points_xy[..., 27:36, :].mean(-2, keepdims=True)
    jaw = points_xy[..., :17, :]
    return xp.concatenate([jaw + BEYOND_JAW * (jaw - middle), brows], axis=-2)


def face_mask(
    points_xy: Float[np.ndarray, "B 68 2"],
    size: tuple[int, int],
    region: str = PAPER_POLYGON,
) -> Float[np.ndarray, "B H W"]:
    """Returns float32 [B, H, W]: 1 inside or on the face polygon, else 0.

    Args:
      points_xy: float [B, 68, 2] landmarks, pixels; may be outside the image.
      size: (height, width).
      region: PAPER_POLYGON or FACE_CONTOUR, see `mask_polygon`.

    Source: the official release. Differs: it fills the polygon with OpenCV on 178x218
    and resizes; here the even-odd rule is applied to each pixel centre. Pixels of the
    polygon's edges are inside, as OpenCV draws them.
    """
    polygons = mask_polygon(np.asarray(points_xy, np.float32), region)
    masks = np.zeros((len(polygons), *size), np.float32)
    for mask, polygon in zip(masks, polygons, strict=True):
        start, end = polygon, np.roll(polygon, -1, axis=0)
        mask[_inside(start, end, size)] = 1
        for edge in zip(start, end, strict=True):
            _draw_edge(mask, *edge)
    return masks


def _inside(
    start: np.ndarray, end: np.ndarray, size: tuple[int, int]
) -> Bool[np.ndarray, "H W"]:
    """Whether an odd number of edges crosses each row to the right of a pixel."""
    y = np.arange(size[0], dtype=np.float32)
    (x0, y0), (x1, y1) = start.T[..., None], end.T[..., None]  # each [edges, 1]
    edge, row = np.nonzero((y0 > y) != (y1 > y))
    along = (y[row] - y0[edge, 0]) / (y1 - y0)[edge, 0]
    crossing = x0[edge, 0] + along * (x1 - x0)[edge, 0]
    # From this pixel on the crossing is not to the right.
    first = np.clip(np.ceil(crossing), 0, size[1]).astype(int)
    passed = np.zeros((size[0], size[1] + 1), int)
    np.add.at(passed, (row, first), 1)
    passed = passed.cumsum(-1)
    return (passed[:, -1:] - passed[:, :-1]) % 2 == 1


def _draw_edge(mask: np.ndarray, start: np.ndarray, end: np.ndarray) -> None:
    """Sets the pixels that an edge touches to 1, in place."""
    limit = np.array(mask.shape[::-1])
    low, high = np.minimum(start, end) - 0.5, np.maximum(start, end) + 0.5
    left, top = np.clip(np.floor(low), 0, limit).astype(int)
    right, bottom = np.clip(np.ceil(high) + 1, 0, limit).astype(int)
    y, x = (axis.astype(np.float32) for axis in np.ogrid[top:bottom, left:right])
    edge, dx, dy = end - start, x - start[0], y - start[1]
    length = max(float(np.sum(edge**2)), 1e-12)
    along = np.clip((dx * edge[0] + dy * edge[1]) / length, 0, 1)
    squared = (dx - along * edge[0]) ** 2 + (dy - along * edge[1]) ** 2
    mask[top:bottom, left:right][squared <= 0.25] = 1
