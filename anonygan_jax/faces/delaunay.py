"""Warping a face by its landmarks: piecewise affine over a Delaunay mesh."""

import contextlib
import functools
import threading
from collections.abc import Iterator

import cv2
import numpy as np
import threadpoolctl
from scipy.spatial import Delaunay

FOREHEAD_BROWS = (17, 18, 19, 20, 21, 22, 23, 24, 25, 26)
FOREHEAD_HEIGHT = 0.45  # of the distance from eyes to chin, above the brows
OUTSIDE = -1e6  # a coordinate that no picture has
EDGE_TOLERANCE = 1e-6  # barycentric; pixels on the edge of the mesh belong to it

_one_thread_lock = threading.Lock()


def forehead_points(points_xy: np.ndarray) -> np.ndarray:
    """Returns float64 [..., 10, 2]: points on the forehead above each brow point.

    The landmarks stop at the brows; these continue them along the face's own up
    direction, as high as foreheads reach on average, lower at the temples.
    """
    points = np.asarray(points_xy, np.float64)
    eyes = points[..., 36:48, :].mean(-2, keepdims=True)
    up = eyes - points[..., 8:9, :]
    arch = np.sin(np.linspace(0.15 * np.pi, 0.85 * np.pi, len(FOREHEAD_BROWS)))
    brows = points[..., list(FOREHEAD_BROWS), :]
    return brows + FOREHEAD_HEIGHT * arch[:, None] * up


def border_points(size: tuple[int, int]) -> np.ndarray:
    """Returns float64 [16, 2]: corners and points along the edges of a picture."""
    x, y = np.linspace(0, size[1] - 1, 5), np.linspace(0, size[0] - 1, 5)
    top = np.stack([x, np.zeros(5)], -1)
    left = np.stack([np.zeros(3), y[1:-1]], -1)
    down, right = np.array([0, size[0] - 1]), np.array([size[1] - 1, 0])
    return np.concatenate([top, top + down, left, left + right])


def warp_to_points(
    image: np.ndarray,
    from_xy: np.ndarray,
    to_xy: np.ndarray,
) -> np.ndarray:
    """Returns the picture moved so that each point of `from_xy` lies at `to_xy`.

    Args:
      image: uint8 or float32 [H, W, C].
      from_xy: float [M, 2], points in the picture.
      to_xy: float [M, 2], where they go; with `border_points` among both the whole
        picture is covered. Pixels outside the hull of `to_xy` are black.
    """
    height, width = image.shape[:2]
    places = piecewise_affine(
        Delaunay(to_xy), from_xy, np.arange(width), np.arange(height)
    )
    maps = places.astype(np.float32)
    return cv2.remap(image, maps[..., 0], maps[..., 1], cv2.INTER_LINEAR)


def piecewise_affine(
    triangles: Delaunay, from_xy: np.ndarray, x: np.ndarray, y: np.ndarray
) -> np.ndarray:
    """Returns where each place of a grid comes from, float64 [len(y), len(x), 2].

    Args:
      triangles: of the points in the result.
      from_xy: float [M, 2], where those points come from.
      x, y: coordinates of the grid's columns and rows in the result. Places outside
        the triangles come from far outside.
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
    """SciPy solves each triangle by BLAS, whose threads wait for each other.

    Where something else keeps the cores busy that takes a hundred times as long.
    """
    with _one_thread_lock, _blas().limit(limits=1, user_api="blas"):
        yield


@functools.cache
def _blas() -> threadpoolctl.ThreadpoolController:
    """The BLAS libraries that NumPy and SciPy brought."""
    return threadpoolctl.ThreadpoolController()
