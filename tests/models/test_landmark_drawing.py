"""CIAGAN's drawing against the official one, and lines against OpenCV's."""

import cv2
import jax.numpy as jnp
import numpy as np
import pytest
from golden_values import load
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import distance_transform_edt

from anonygan_jax.models.landmark_drawing import landmark_drawing

SIZE = (218, 178)
RUNS = (range(17), range(27, 31), (*range(60, 68), 60))


def red_pixels(points_xy: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Where one face's drawing is red."""
    drawing = np.asarray(landmark_drawing(jnp.asarray(points_xy[None]), size))[0]
    lit = (drawing == [1, 0, 0]).all(-1)
    np.testing.assert_array_equal(drawing[~lit], 1)
    return lit


@pytest.mark.parametrize("number", range(6))
def test_equals_the_official_drawing(number):
    golden = load("geometry.npz")
    expected = (golden[f"ciagan_landmark_image_{number}"] != 255).any(-1)
    lit = red_pixels(golden[f"landmarks_xy_{number}"].astype(np.float32), SIZE)
    # An empty picture has 99.4% equal pixels.
    assert (lit == expected).mean() > 0.999
    _assert_near(lit, expected)


def _assert_near(lit: np.ndarray, expected: np.ndarray) -> None:
    """No red pixel is further than one from one of the other picture."""
    assert distance_transform_edt(~expected)[lit].max(initial=0) <= 1
    assert distance_transform_edt(~lit)[expected].max(initial=0) <= 1


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32 - 1), spread=st.floats(1, 200))
def test_lines_are_opencvs_wherever_points_lie(seed, spread):
    rng = np.random.default_rng(seed)
    points = rng.normal(32, spread, (68, 2)).astype(np.float32)
    around = 1000  # so that OpenCV draws what is outside, too
    canvas = np.zeros((64 + 2 * around, 48 + 2 * around), np.uint8)
    rounded = np.floor(points + 0.5).astype(int) + around
    for run in RUNS:
        cv2.polylines(canvas, [rounded[list(run)]], False, 255)
    expected = canvas[around - 1 : around + 65, around - 1 : around + 49] > 0
    lit = red_pixels(points + 1, (66, 50))
    inside = np.s_[1:-1, 1:-1]
    assert distance_transform_edt(~expected)[inside][lit[inside]].max(initial=0) <= 1
    assert distance_transform_edt(~lit)[inside][expected[inside]].max(initial=0) <= 1


def test_points_that_are_no_numbers_draw_nothing():
    assert not red_pixels(np.full((68, 2), np.nan, np.float32), (16, 16)).any()
