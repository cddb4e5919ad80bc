"""Mesh warps against OpenCV's affine warp."""

import cv2
import numpy as np
import threadpoolctl
from scipy.spatial import Delaunay

from anonygan_jax.faces import delaunay

RNG = np.random.default_rng(0)
IMAGE = cv2.GaussianBlur(RNG.integers(0, 256, (60, 50, 3), np.uint8), (0, 0), 3)
POINTS = np.concatenate(
    [RNG.uniform(10, 40, (20, 2)), delaunay.border_points((60, 50))]
)


def test_points_that_stay_leave_the_picture_as_it_is():
    warped = delaunay.warp_to_points(IMAGE, POINTS, POINTS)
    assert np.abs(warped.astype(int) - IMAGE).max() <= 1


def test_an_affine_move_of_all_points_is_opencvs_affine_warp():
    matrix = np.array([[1.1, 0.2, -4.0], [-0.1, 0.9, 3.0]])
    moved = POINTS @ matrix[:, :2].T + matrix[:, 2]
    warped = delaunay.warp_to_points(IMAGE, POINTS, moved)
    expected = cv2.warpAffine(IMAGE, matrix, (50, 60), flags=cv2.INTER_LINEAR)
    inside = cv2.warpAffine(np.ones((60, 50), np.uint8), matrix, (50, 60)) > 0
    inside = cv2.erode(inside.astype(np.uint8), np.ones((3, 3))) > 0
    difference = np.abs(warped.astype(int) - expected)[inside]
    assert inside.mean() > 0.5
    assert np.quantile(difference, 0.99) <= 2


def test_only_the_moved_points_surroundings_change():
    points = np.concatenate([[[25.0, 30.0]], delaunay.border_points((60, 50))])
    angles = np.linspace(0, 2 * np.pi, 16, endpoint=False)
    ring = [25.0, 30.0] + 12 * np.stack([np.cos(angles), np.sin(angles)], -1)
    points = np.concatenate([points, ring])
    moved = points.copy()
    moved[0] += [4, 0]
    warped = delaunay.warp_to_points(IMAGE, points, moved)
    changed = np.abs(warped.astype(int) - IMAGE).max(-1) > 1
    assert changed[28:33, 22:32].any()
    changed[17:44, 13:38] = False
    assert not changed.any()


def test_triangles_are_solved_by_one_thread_and_others_keep_theirs():
    def num_threads() -> list[int]:
        libraries = threadpoolctl.threadpool_info()
        return [x["num_threads"] for x in libraries if x["user_api"] == "blas"]

    class Watched(Delaunay):
        def find_simplex(self, *arguments, **keywords):
            during.append(num_threads())
            return super().find_simplex(*arguments, **keywords)

    during, axis = [], np.arange(8.0)
    with threadpoolctl.threadpool_limits(2, "blas"):
        before = num_threads()
        delaunay.piecewise_affine(Watched(POINTS), POINTS, axis, axis)
        assert num_threads() == before
    assert set(during[0]) == {1}


def test_forehead_is_above_the_brows_in_a_turned_face_too(embedded):
    for angle in (0.0, 0.5):
        turn = np.array(
            [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        )
        points = embedded[0].points_xy @ turn.T
        upright = delaunay.forehead_points(points) @ turn
        brows = embedded[0].points_xy[17:27]
        rise = brows[:, 1] - upright[:, 1]
        face = embedded[0].points_xy[8, 1] - brows[:, 1].mean()
        assert ((rise > 0.1 * face) & (rise < 0.6 * face)).all()
