"""Warping a face by its landmarks: piecewise affine over a Delaunay mesh."""

import contextlib
import functools
import threading
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
import threadpoolctl
from jaxtyping import Float, Shaped

FOREHEAD_BROWS = (17, 18, 19, 20, 21, 22, 23, 24, 25, 26)
FOREHEAD_HEIGHT = 0.45  # of the distance from eyes to chin, above the brows
OUTSIDE = -1e6  # a coordinate outside every image
EDGE_TOLERANCE = 1e-6  # barycentric; pixels on the edge of the mesh are inside

_one_thread_lock = threading.Lock()


def forehead_points(
    points_xy: Float[np.ndarray, "*B 68 2"],
) -> Float[np.ndarray, "*B 10 2"]:
    """Returns float64 [..., 10, 2]: points on the forehead above each brow point.

    The landmarks end at the brows. These points are above them in the direction from
    chin to eyes, at the average height of foreheads, lower at the temples.
    """
    points = np.asarray(points_xy, np.float64)
    eyes = points[..., 36:48, :].mean(-2, keepdims=True)
    up = eyes - points[..., 8:9, :]
    arch = np.sin(np.linspace(0.15 * np.pi, 0.85 * np.pi, len(FOREHEAD_BROWS)))
    brows = points[..., list(FOREHEAD_BROWS), :]
    return brows + FOREHEAD_HEIGHT * arch[:, None] * up


def border_points(size: tuple[int, int]) -> Float[np.ndarray, "16 2"]:
    """Returns float64 [16, 2]: corners and points along the edges of an image."""
    x, y = np.linspace(0, size[1] - 1, 5), np.linspace(0, size[0] - 1, 5)
    top = np.stack([x, np.zeros(5)], -1)
    left = np.stack([np.zeros(3), y[1:-1]], -1)
    down, right = np.array([0, size[0] - 1]), np.array([size[1] - 1, 0])
    return np.concatenate([top, top + down, left, left + right])


def warp_to_points(
    image: Shaped[np.ndarray, "H W C"],
    from_xy: Float[np.ndarray, "M 2"],
    to_xy: Float[np.ndarray, "M 2"],
) -> Shaped[np.ndarray, "H W C"]:
    """Returns the image warped so that each point of `from_xy` is moved to `to_xy`.

    Args:
      image: uint8 or float32 [H, W, C].
      from_xy: float [M, 2], points in the image.
      to_xy: float [M, 2], their positions in the result. With `border_points` in both
        the mesh has the whole image. Pixels outside the hull of `to_xy` are black.
    """
    height, width = image.shape[:2]
    places = piecewise_affine(
        triangulated(to_xy), from_xy, np.arange(width), np.arange(height)
    )
    maps = places.astype(np.float32)
    return cv2.remap(image, maps[..., 0], maps[..., 1], cv2.INTER_LINEAR)


def triangulated(points_xy: Float[np.ndarray, "M 2"]) -> Any:
    """Returns the Delaunay triangles of float [M, 2], a `scipy.spatial.Delaunay`."""
    from scipy.spatial import Delaunay  # takes 0.2 s to import

    return Delaunay(points_xy)


def piecewise_affine(
    triangles: Any,
    from_xy: Float[np.ndarray, "M 2"],
    x: Shaped[np.ndarray, " w"],
    y: Shaped[np.ndarray, " h"],
) -> Float[np.ndarray, "h w 2"]:
    """Returns the origin of each position of a grid, float64 [h, w, 2].

    Args:
      triangles: `triangulated` points in the result.
      from_xy: float [M, 2], the origins of those points.
      x, y: [w] and [h], coordinates of the grid's columns and rows in the result. The
        origin of positions outside the triangles is `OUTSIDE`.
    """
    places = np.stack(np.meshgrid(x, y), -1).reshape(-1, 2).astype(np.float64)
    with _one_blas_thread():
        triangle = triangles.find_simplex(places, tol=EDGE_TOLERANCE)
        affine = triangles.transform[triangle]  # [P, 3, 2]
    first_two = np.einsum("pij,pj->pi", affine[:, :2], places - affine[:, 2])
    weights = np.column_stack([first_two, 1 - first_two.sum(-1)])
    corners = np.asarray(from_xy, np.float64)[triangles.simplices[triangle]]
    source = np.einsum("pk,pkc->pc", weights, corners)
    source[triangle < 0] = OUTSIDE
    return source.reshape(len(y), len(x), 2)


@contextlib.contextmanager
def _one_blas_thread() -> Iterator[None]:
    """Limits BLAS, by which SciPy solves each triangle, to one thread.

    Its threads wait for each other; on busy cores that takes a hundred times as long.
    """
    with _one_thread_lock, _blas().limit(limits=1, user_api="blas"):
        yield


@functools.cache
def _blas() -> threadpoolctl.ThreadpoolController:
    """The BLAS libraries that NumPy and SciPy brought."""
    return threadpoolctl.ThreadpoolController()
