"""The warped face and what a generator of known answer adds to it."""

import cv2
import numpy as np
import pytest

from anonygan_jax.faces.masks import FACE_CONTOUR, face_mask
from anonygan_jax.faces.skin import skin_mask
from anonygan_jax.methods import make_methods, methods_of_checkpoint
from anonygan_jax.methods.method import Faces, MethodError
from anonygan_jax.methods.refine import Refine, soft_edge
from anonygan_jax.methods.trained_generator import TrainedGenerator
from anonygan_jax.methods.warp import Warp
from anonygan_jax.weights import generator_checkpoint
from anonygan_jax.weights.checkpoint_folder import CheckpointError


class Known(TrainedGenerator):
    """Stands for a trained generator; notes what it was shown."""

    size, zoom, step = (112, 92), 1.4, 7

    def __init__(self, brighter: float) -> None:
        self._brighter, self.shown = brighter, []

    def __call__(self, conditions, masked_source, points_xy, warped_condition):
        inputs = (masked_source, points_xy, warped_condition)
        self.shown = [np.asarray(x) for x in inputs]
        return np.asarray(warped_condition) + self._brighter


def test_a_generator_that_changes_nothing_leaves_the_warp(faces, conditions):
    refined = Refine(Known(0.0))(faces, conditions)
    np.testing.assert_array_equal(refined, Warp()(faces, conditions))


def test_what_it_changes_is_added_inside_and_fades_to_the_border(faces, conditions):
    warped = Warp()(faces, conditions).astype(int)
    refined = Refine(Known(-0.2))(faces, conditions)
    for image, before, mask, points in zip(
        refined, warped, faces.masks, faces.points_xy, strict=True
    ):
        change = image - before
        weight = soft_edge(mask, points)
        middle = (weight == 1) & (before.min(-1) > 40)
        assert middle.sum() > 0.5 * mask.sum()
        assert np.abs(change[middle] + 25.5).max() <= 1.5
        np.testing.assert_array_equal(change[mask == 0], 0)
        assert np.abs(change[(weight > 0.2) & (weight < 0.4)]).max() < 14


def test_the_generator_is_shown_nothing_of_the_source_s_face(faces, conditions):
    known = Known(0.0)
    method = Refine(known)
    expected = method(faces, conditions), known.shown
    rng = np.random.default_rng(0)
    noisy = faces.images.copy()
    inside = faces.masks > 0
    noisy[inside] = rng.integers(0, 256, (inside.sum(), 3))
    for image, source, points, mask in zip(
        noisy, faces.images, faces.points_xy, inside, strict=True
    ):
        # Where warp takes the skin's median colour from: that stays.
        skin = skin_mask(points, mask.shape) & mask
        image[skin] = source[skin]
    hidden = method(Faces(noisy, faces.points_xy, faces.masks), conditions)
    np.testing.assert_array_equal(hidden[inside], expected[0][inside])
    for shown, before in zip(known.shown, expected[1], strict=True):
        np.testing.assert_array_equal(shown, before)
    masked_source, points, warped_condition = known.shown
    assert warped_condition.shape == masked_source.shape == (3, 112, 92, 3)
    black = (masked_source == 0).all(-1)
    hidden = face_mask(points, (112, 92), FACE_CONTOUR) > 0
    np.testing.assert_array_equal(black, hidden)
    assert black.mean() > 0.2
    assert ((points > -10) & (points < 120)).all()


def test_a_checkpoint_with_a_warped_condition_refines_and_others_fill(
    faces, conditions, refine_run, tiny_run
):
    (method,) = make_methods("anonygan", str(refine_run))
    assert isinstance(method, Refine)
    assert method.crop_size is None
    hidden = method(faces, conditions)
    outside = cv2.dilate(faces.masks.transpose(1, 2, 0), np.ones((7, 7))) == 0
    outside = outside.transpose(2, 0, 1)
    np.testing.assert_array_equal(hidden[outside], faces.images[outside])
    assert make_methods("anonygan", str(tiny_run))[0].crop_size == (56, 48)


def test_auto_is_a_refining_generator_before_warp(refine_run, tiny_run):
    methods = make_methods("auto", str(refine_run))
    assert [method.name for method in methods] == ["anonygan", "warp"]
    with pytest.raises(CheckpointError, match="auto needs a generator that improves"):
        make_methods("auto", str(tiny_run))
    assert methods_of_checkpoint(str(refine_run)) == ["auto", "anonygan"]
    assert methods_of_checkpoint(str(tiny_run)) == ["anonygan"]


def test_weights_that_are_not_finite_are_refused(faces, conditions, refine_run):
    (method,) = make_methods("anonygan", str(refine_run))
    _, variables, _ = generator_checkpoint.load_generator(refine_run)
    variables["params"]["decoder_image"]["bias"] = np.full(3, np.nan, np.float32)
    method.generator.draw.variables = variables
    with pytest.raises(MethodError, match="not finite"):
        method(faces, conditions)


def test_the_crop_s_border_is_no_edge_of_the_face():
    mask = np.zeros((60, 50), np.float32)
    mask[20:, 10:40] = 1
    points = np.zeros((68, 2))
    points[16] = 30, 0
    weight = soft_edge(mask, points)
    assert weight[-1, 25] == 1
    assert weight[20, 25] == weight[40, 10] == 0
    assert weight[:20].max() == 0
