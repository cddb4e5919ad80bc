"""Changed pairs: points still lie where they belong."""

import jax
import numpy as np
import pytest

from anonygan_jax.data.augmentation import AugmentationConfig, augment
from anonygan_jax.data.batches import PairBatch
from anonygan_jax.detection.dlib_landmarks import DlibLandmarks
from anonygan_jax.faces.face import MIRRORED

KEY = jax.random.key(3)


@pytest.fixture(scope="module")
def batch(embedded) -> PairBatch:
    faces = embedded[:160:20]
    images = np.stack([face.image for face in faces])
    points = np.stack([face.points_xy for face in faces])
    return PairBatch(images, images[::-1], points, points[::-1], np.ones(8, bool))


def test_a_mirror_exchanges_left_and_right_as_dlib_sees_it(batch):
    assert sorted(MIRRORED) == list(range(68))
    np.testing.assert_array_equal(MIRRORED[MIRRORED], np.arange(68))
    mirrored = augment(batch, KEY, AugmentationConfig(flip_share=1.0))
    np.testing.assert_array_equal(mirrored.source, np.asarray(batch.source)[:, :, ::-1])
    detector = DlibLandmarks()
    for image, points in zip(
        np.asarray(mirrored.source), mirrored.source_points_xy, strict=True
    ):
        (face,) = detector.detect(image)
        assert np.abs(face.points_xy - points).mean() < 2.5


def test_a_share_of_the_pairs_is_mirrored_both_pictures_alike(batch):
    changed = augment(batch, KEY, AugmentationConfig(flip_share=0.5))
    flipped = []
    for name in ("source", "condition"):
        before, after = getattr(batch, name), np.asarray(getattr(changed, name))
        flipped.append((before != after).any((1, 2, 3)).tolist())
    assert flipped[0] == flipped[1]
    assert 0 < sum(flipped[0]) < 8


def test_nothing_changes_unless_asked(batch):
    assert augment(batch, KEY, AugmentationConfig()) is batch
    with pytest.raises(ValueError, match=r"flip_share is 1\.5, wanted 0 to 1"):
        AugmentationConfig(flip_share=1.5)
