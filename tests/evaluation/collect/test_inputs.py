"""Photos as the networks take them, against TensorFlow's resizing."""

import numpy as np
import pytest
import tensorflow as tf

from anonygan_jax.evaluation.collect import inputs
from anonygan_jax.evaluation.collect.observation import FaceObserver
from anonygan_jax.faces.alignment import DegenerateFaceError
from anonygan_jax.recognition.table import BOX, TEMPLATE


@pytest.mark.parametrize("size", [(250, 200), (640, 500), (100, 300)])
def test_resizing_is_what_both_definitions_say(size):
    image = np.random.default_rng(0).integers(0, 256, (*size, 3)).astype(np.uint8)
    shape = (299, 299)
    clean = tf.image.resize(image, shape, "bicubic", antialias=True).numpy()
    plain = tf.image.resize(image, shape, "bilinear", antialias=False).numpy()
    ours = inputs.clean_fid_picture(image)
    # TensorFlow's kernel is the same but for the renormalised border.
    inside = np.abs(ours - np.clip(clean, 0, 255))[8:-8, 8:-8]
    assert inside.max() < 0.2
    assert np.abs(inputs.pytorch_fid_picture(image) - plain).max() < 0.1
    assert np.abs(inputs.clean_fid_picture(image) - plain).mean() > 1


def test_faces_are_cut_from_one_place_in_original_and_result(group_photo):
    observer = FaceObserver(use_mtcnn=False)
    original = observer.original(group_photo)
    hidden = np.full_like(group_photo, 90)
    wanted = frozenset([*inputs.WHOLE, inputs.EFFICIENTNET, BOX, TEMPLATE])
    seen = observer.result(hidden, original)
    made = inputs.pictures_for(wanted, group_photo, original, original)
    shapes = {name: picture.shape for name, picture in made.items()}
    assert shapes == {
        inputs.INCEPTION_CLEAN: (299, 299, 3),
        inputs.INCEPTION_PYTORCH: (299, 299, 3),
        inputs.EFFICIENTNET: (224, 224, 3),
        BOX: (160, 160, 3),
        TEMPLATE: (112, 112, 3),
    }
    gone = inputs.pictures_for(wanted, hidden, seen, original)
    assert (gone[inputs.EFFICIENTNET] == 90).all()
    assert made[inputs.EFFICIENTNET].std() > 20
    whole = inputs.pictures_for(wanted, group_photo, None, None)
    assert set(whole) == set(inputs.WHOLE)


def test_boxes_at_the_border_and_points_without_a_frame(group_photo):
    box = np.array([-30.0, 280, 20, 400])
    corner = inputs.box_picture(group_photo, box, 160)
    assert corner.shape == (160, 160, 3)
    original = FaceObserver(use_mtcnn=False).original(group_photo)
    original.points_xy[:] = 3
    with pytest.raises(DegenerateFaceError):
        inputs.face_picture(group_photo, original)
