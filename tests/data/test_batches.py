"""Batches from memory and through tf.data are the same."""

import dataclasses
import subprocess
import sys
import threading

import chex
import cv2
import numpy as np
import pytest

from anonygan_jax.data.batches import BatchLoader
from anonygan_jax.data.config import DataConfig, PairConfig
from anonygan_jax.data.spoiled_conditions import spoil
from anonygan_jax.data.warped_conditions import warp_conditions
from anonygan_jax.detection.dlib_landmarks import DlibLandmarks
from anonygan_jax.faces import alignment
from anonygan_jax.faces.alignment import reframe
from anonygan_jax.faces.masks import FACE_CONTOUR, face_mask
from anonygan_jax.faces.skin import skin_mask
from anonygan_jax.training import sharding
from anonygan_jax.training.device_feed import THREADS, iterate_on_devices

PAIRS = PairConfig(0.75, "same_identity", "other_identity", 2)
SPOILED = dataclasses.replace(
    PAIRS, supervised_share=1.0, supervised_condition="spoiled_source"
)


def _batches(loader: str) -> BatchLoader:
    return BatchLoader(DataConfig("embedded", (44, 36), 5, loader, 3), PAIRS)


@pytest.mark.parametrize("loader", ["tf_data", "device"])
def test_loaders_give_the_same_batches_from_any_step(loader):
    mesh = sharding.make_mesh()
    memory = list(iterate_on_devices(_batches("memory"), 0, 4, mesh))
    other = list(iterate_on_devices(_batches(loader), 2, 4, mesh))
    chex.assert_trees_all_equal(memory[2:], other)
    assert memory[0].source.shape == (5, 44, 36, 3)
    assert other[0].source.sharding == sharding.batch_sharding(mesh)


def test_conditions_are_not_warped_on_devices():
    config = DataConfig("embedded", (44, 36), 5, "device", 3)
    with pytest.raises(ValueError, match="conditions are warped on the host"):
        BatchLoader(config, PAIRS, uses_warped_condition=True)


def test_points_follow_the_picture(embedded):
    batches = _batches("memory")
    pairs = batches.sampler.batch(0)
    face = embedded[pairs.source[0]]
    batch = batches.batch(0)
    back = alignment.resize_transform((44, 36), (220, 180))
    points = alignment.transform_points(back, batch.source_points_xy[0])
    np.testing.assert_allclose(points, face.points_xy, atol=1e-3)
    expected = face.image.reshape(44, 5, 36, 5, 3).mean((1, 3))  # area reduction
    assert np.abs(batch.source[0] - expected).max() <= 1


def test_unknown_loaders_are_refused():
    with pytest.raises(ValueError, match="'disk'"):
        DataConfig("embedded", (44, 36), 5, "disk", 3)


def test_training_imports_no_tensorflow():
    code = (
        "import sys, anonygan_jax.training.loop; sys.exit('tensorflow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_warped_conditions_keep_the_background_and_nothing_of_the_face():
    config = DataConfig("embedded", (112, 92), 4, "memory", 3, zoom=1.4)
    batches = BatchLoader(config, PAIRS, uses_warped_condition=True)
    batch = batches.batch(0)
    points = np.asarray(batch.source_points_xy)
    mask = face_mask(points, (112, 92), FACE_CONTOUR) > 0
    beyond = np.stack([cv2.dilate(m.astype(np.uint8), np.ones((5, 5))) for m in mask])
    kept = beyond == 0  # the new face fades over a pixel or two
    np.testing.assert_array_equal(batch.warped_condition[kept], batch.source[kept])
    # Shuffle the skin and put noise for the rest: skin colour is all that is taken.
    rng = np.random.default_rng(0)
    scrambled = batch.source.copy()
    scrambled[mask] = rng.integers(0, 256, (mask.sum(), 3))
    for image, source, face, inside in zip(
        scrambled, batch.source, points, mask, strict=True
    ):
        skin = skin_mask(face, inside.shape) & inside
        image[skin] = rng.permutation(source[skin])
    warped_condition = warp_conditions(
        batch.condition, batch.condition_points_xy, scrambled, points
    )
    np.testing.assert_array_equal(warped_condition[mask], batch.warped_condition[mask])


def test_processes_warp_as_threads_do():
    config = DataConfig("embedded", (44, 36), 11, "memory", 3)
    pairs = dataclasses.replace(SPOILED, supervised_share=0.5)
    expected = BatchLoader(config, pairs, uses_warped_condition=True).batch(1)
    config = dataclasses.replace(config, num_workers=2)
    batch = BatchLoader(config, pairs, uses_warped_condition=True).batch(1)
    chex.assert_trees_all_equal(batch, expected)
    assert (batch.warped_condition != batch.source).any()


@pytest.mark.parametrize("zoom", [1.0, 1.4, 1.6])
def test_the_window_shows_the_same_face_larger(embedded, zoom):
    face = embedded[0]
    image, points = reframe(face.image, face.points_xy, (112, 92), zoom)
    width = np.linalg.norm(points[16] - points[0]) / 92
    before = np.linalg.norm(face.points_xy[16] - face.points_xy[0]) / 180
    assert abs(width / before / zoom - 1) < 0.02
    assert (points > 0).all()
    assert (points < (92, 112)).all()
    back = alignment.window_transform(face.image.shape[:2], (112, 92), zoom)
    expected = cv2.warpAffine(face.image, back, (92, 112), flags=cv2.INTER_AREA)
    assert np.abs(image.astype(int) - expected)[8:-8, 8:-8].mean() < 6


def test_jitter_moves_the_points_of_sources_alone():
    config = DataConfig("embedded", (112, 92), 5, "memory", 3, landmark_jitter=4.0)
    moved = BatchLoader(config, PAIRS).batch(0)
    still = BatchLoader(dataclasses.replace(config, landmark_jitter=0.0), PAIRS).batch(
        0
    )
    np.testing.assert_array_equal(moved.condition_points_xy, still.condition_points_xy)
    shift = np.abs(moved.source_points_xy - still.source_points_xy)
    assert shift.max() > 0.1
    assert shift.max() < 5 * 4 * 112 / 218


@pytest.mark.parametrize("loader", ["memory", "device"])
def test_the_threads_that_make_batches_end_with_the_generator(loader):
    feed = iterate_on_devices(_batches(loader), 0, 1000, sharding.make_mesh())
    next(feed)
    assert any(t.name.startswith(THREADS) for t in threading.enumerate())
    feed.close()
    assert not any(t.name.startswith(THREADS) for t in threading.enumerate())


def test_a_spoiled_face_is_the_sources_and_is_not_the_target():
    config = DataConfig("embedded", (112, 92), 12, "memory", 3, zoom=1.4)
    batches = BatchLoader(config, SPOILED, uses_warped_condition=True)
    batch = batches.batch(0)
    mask = face_mask(batch.source_points_xy, (112, 92), FACE_CONTOUR)
    inside = mask > 0
    spoiled = _grey(batch.warped_condition)
    apart = np.abs(spoiled - _grey(batch.source))
    assert all(np.median(a[m]) > 2 for a, m in zip(apart, inside, strict=True))
    # Each face is more like its own source than like those of the other pairs.
    likeness = np.array(
        [
            [np.corrcoef(s[m], other[m])[0, 1] for other in _grey(batch.source)]
            for s, m in zip(spoiled, inside, strict=True)
        ]
    )
    assert (likeness.argmax(1) == np.arange(12)).sum() >= 10  # some look much alike
    # The generator's other view of it cannot be copied pixel by pixel.
    assert (batch.condition != batch.source).mean() > 0.9
    again = batches.batch(1)
    assert (again.warped_condition != batch.warped_condition).any()


def _grey(images: np.ndarray) -> np.ndarray:
    return images.astype(np.float32).mean(-1)


def test_landmarks_of_a_spoiled_photo_lie_on_its_face(embedded):
    detector = DlibLandmarks()
    rng = np.random.default_rng(0)
    errors = []
    for face in embedded[:40:2]:
        photo, points = spoil(face.image, face.points_xy, rng)
        faces = detector.detect_any(photo)
        assert faces
        width = np.linalg.norm(points[16] - points[0])
        apart = faces[0].points_xy - points
        errors.append(np.linalg.norm(apart, axis=-1).mean() / width)
    assert np.median(errors) < 0.05


def test_rows_of_a_process_are_spoiled_alike():
    config = DataConfig("embedded", (44, 36), 6, "memory", 3)
    whole = BatchLoader(config, SPOILED, True).batch(2)
    part = BatchLoader(config, SPOILED, True, slice(2, 5)).batch(2)
    np.testing.assert_array_equal(part.warped_condition, whole.warped_condition[2:5])
    np.testing.assert_array_equal(part.condition, whole.condition[2:5])


def test_spoiled_sources_need_a_generator_that_takes_them():
    config = DataConfig("embedded", (44, 36), 5, "memory", 3)
    with pytest.raises(ValueError, match="uses_warped_condition"):
        BatchLoader(config, SPOILED)
