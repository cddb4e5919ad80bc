"""What discriminators see changed: pixels and points together, gradients through."""

import jax
import jax.numpy as jnp
import numpy as np
import scipy.ndimage
from hypothesis import given, settings
from hypothesis import strategies as st

from anonygan_jax.systems.diff_augment import COLOUR, CUTOUT, TRANSLATION, diff_augment

RNG = np.random.default_rng(0)
IMAGE = jnp.asarray(RNG.uniform(-1, 1, (3, 24, 16, 3)), jnp.float32)
POINTS = jnp.asarray(RNG.uniform(0, 16, (3, 5, 2)), jnp.float32)


@given(st.integers(0, 2**31 - 1))
@settings(max_examples=20, deadline=None)
def test_pictures_and_points_move_alike_by_an_eighth_at_most(seed):
    moved, points = diff_augment(IMAGE, POINTS, jax.random.key(seed), (TRANSLATION,))
    for n in range(3):
        shift = np.asarray(points[n] - POINTS[n])
        np.testing.assert_allclose(shift, np.tile(shift[0], (5, 1)), atol=1e-5)
        across, down = np.rint(shift[0])
        assert abs(across) <= 2
        assert abs(down) <= 3
        expected = scipy.ndimage.shift(IMAGE[n], (down, across, 0), order=0)
        np.testing.assert_array_equal(moved[n], expected)


def test_all_shifts_happen():
    keys = jax.random.split(jax.random.key(0), 60)
    shifts = np.concatenate(
        [
            diff_augment(IMAGE, POINTS, key, (TRANSLATION,))[1][:, 0] - POINTS[:, 0]
            for key in keys
        ]
    )
    assert set(np.rint(shifts[:, 0])) == {-2, -1, 0, 1, 2}
    assert set(np.rint(shifts[:, 1])) == {-3, -2, -1, 0, 1, 2, 3}


@given(st.integers(0, 2**31 - 1))
@settings(max_examples=20, deadline=None)
def test_one_rectangle_of_half_the_sides_is_cut(seed):
    ones = jnp.ones((3, 24, 16, 3))
    cut, points = diff_augment(ones, POINTS, jax.random.key(seed), (CUTOUT,))
    np.testing.assert_array_equal(points, POINTS)
    for image in np.asarray(cut):
        hole = (image == 0).all(-1)
        rows, columns = hole.any(1), hole.any(0)
        np.testing.assert_array_equal(hole, np.outer(rows, columns))
        assert 6 <= rows.sum() <= 12  # half of it, at the border
        assert 4 <= columns.sum() <= 8
        for side in (rows, columns):
            assert np.count_nonzero(np.diff(side.astype(int))) <= 2  # in one piece


def test_colours_change_a_picture_as_a_whole():
    changed, _ = diff_augment(IMAGE, None, jax.random.key(1), (COLOUR,))
    # Affine in its pixels: brightness, contrast, saturation.
    x, y = (np.asarray(a[0]).reshape(-1, 3) for a in (IMAGE, changed))
    known = np.concatenate([x, np.ones((len(x), 1))], 1)
    _, residuals, *_ = np.linalg.lstsq(known, y, rcond=None)
    assert residuals.max() < 1e-8
    assert np.abs(y - x).mean() > 0.05
    assert not np.allclose(changed[0] - IMAGE[0], changed[1] - IMAGE[1])


def test_without_policies_nothing_changes_and_gradients_reach_the_picture():
    same, points = diff_augment(IMAGE, POINTS, jax.random.key(0), ())
    np.testing.assert_array_equal(same, IMAGE)
    np.testing.assert_array_equal(points, POINTS)
    policies = (COLOUR, TRANSLATION, CUTOUT)
    slope = jax.grad(
        lambda x: jnp.square(
            diff_augment(x, None, jax.random.key(0), policies)[0]
        ).sum()
    )(IMAGE)
    assert (slope != 0).mean() > 0.3
