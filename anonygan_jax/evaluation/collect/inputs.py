"""Inputs of the frozen networks, cut out of photos: pixels 0 to 255, not scaled."""

from collections.abc import Callable

import cv2
import numpy as np
from PIL import Image

from anonygan_jax.evaluation.collect.eye_windows import eye_windows
from anonygan_jax.evaluation.collect.observation import Observation
from anonygan_jax.faces import alignment
from anonygan_jax.models.pretrained import efficientnet, facenet, inception
from anonygan_jax.recognition import table
from anonygan_jax.recognition.template import template_crop

INCEPTION_CLEAN = "fid_clean"
INCEPTION_PYTORCH = "fid_pytorch"
EFFICIENTNET = "efficientnet"
EMOTION = "emotion"
EMOTION_SIZE = 64
GAZE = "gaze"
# Kinds of outputs; a network gives one or two of them.
FEATURES, EMBEDDINGS = "features", "embeddings"
CLASSES, ANGLES = "classes", "angles"


def clean_fid_picture(image: np.ndarray) -> np.ndarray:
    """Returns a photo as float32 [299, 299, 3]: antialiased bicubic, clipped.

    Source: clean-fid (Parmar et al. 2022), which resizes each channel as Pillow's "F".
    """
    size = (inception.IMAGE_SIZE,) * 2
    channels = [
        Image.fromarray(channel.astype(np.float32)).resize(
            size, Image.Resampling.BICUBIC
        )
        for channel in np.moveaxis(image, -1, 0)
    ]
    stacked = np.stack([np.asarray(c, np.float32) for c in channels], -1)
    return np.clip(stacked, 0, 255)


def pytorch_fid_picture(image: np.ndarray) -> np.ndarray:
    """Returns a photo as float32 [299, 299, 3]: bilinear, not antialiased.

    Source: pytorch-fid 0.3, which resizes inside its network.
    """
    size = (inception.IMAGE_SIZE,) * 2
    return cv2.resize(image.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)


def face_picture(image: np.ndarray, frame: Observation) -> np.ndarray:
    """Returns uint8 [224, 224, 3], the face aligned as in CelebA, stretched.

    Raises:
      DegenerateFaceError: the landmarks give no crop.
    """
    size = (efficientnet.IMAGE_SIZE,) * 2
    return alignment.crop_photo(
        image, alignment.celeba_transform(frame.points_xy, size), size
    )


def box_picture(image: np.ndarray, box_xyxy: np.ndarray, side: int) -> np.ndarray:
    """Returns uint8 [side, side, 3], the box of a face stretched to a square.

    Source: facenet-pytorch's extract_face, without margin.
    """
    height, width = image.shape[:2]
    low = np.clip(box_xyxy[:2], 0, (width - 1, height - 1)).astype(int)
    high = np.clip(box_xyxy[2:], low + 1, (width, height)).astype(int)
    box = image[low[1] : high[1], low[0] : high[0]]
    return cv2.resize(box, (side, side), interpolation=cv2.INTER_AREA)


WHOLE: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    INCEPTION_CLEAN: clean_fid_picture,
    INCEPTION_PYTORCH: pytorch_fid_picture,
}


def pictures_for(
    wanted: frozenset[str],
    image: np.ndarray,
    face: Observation | None,
    original: Observation | None,
) -> dict[str, np.ndarray]:
    """Returns the inputs that a photo gives to the networks, by kind.

    Args:
      wanted: the kinds.
      image: uint8 [H, W, 3] RGB.
      face: the photo's; where it is None, only inputs of the whole photo are made.
      original: the original's face; of an original its own.

    Raises:
      DegenerateFaceError: the landmarks give no crop.
    """
    made = {name: WHOLE[name](image) for name in WHOLE.keys() & wanted}
    if face is None or original is None:
        return made
    if EFFICIENTNET in wanted:
        made[EFFICIENTNET] = face_picture(image, original)
    if table.TEMPLATE in wanted:
        made[table.TEMPLATE] = template_crop(image, face.points_xy)
    if table.BOX in wanted:
        boxes = (face.mtcnn_box, original.mtcnn_box, original.box_xyxy)
        box = next(box for box in boxes if box is not None)
        made[table.BOX] = box_picture(image, box, facenet.IMAGE_SIZE)
    if EMOTION in wanted:
        crop = box_picture(image, face.box_xyxy, EMOTION_SIZE)
        made[EMOTION] = cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY)[..., None]
    if GAZE in wanted:
        made[GAZE] = eye_windows(image, face.points_xy)
    return made
