"""The face drawn by a trained AnonyGAN generator."""

import importlib.resources
import pathlib

import cv2
import jax
import jax.numpy as jnp
import numpy as np

from anonygan_jax import checkpointing
from anonygan_jax.data import crops
from anonygan_jax.data.images import to_float, to_uint8
from anonygan_jax.methods.faces import Faces, MethodError
from anonygan_jax.models.config import ModelConfig

EMBEDDED = "embedded"  # the checkpoint that stands for the package's own


class AnonyGANMethod:
    """Runs the generator of a training run.

    Attributes:
      crop_size: (height, width) that the run was trained at.
      step: the training step its weights are from.
    """

    uses_conditions = True

    def __init__(self, checkpoint: str = EMBEDDED) -> None:
        """Loads the newest averaged weights.

        Args:
          checkpoint: a training run's folder, an export of it, or "embedded".

        Raises:
          CheckpointError: there is none.
        """
        folder = _checkpoint_path(checkpoint)
        config, self._variables, self.step = checkpointing.load_generator(folder)
        height, width = config["data"]["image_size"]
        self._size = (int(height), int(width))
        self.crop_size: tuple[int, int] | None = self._size
        self._model = ModelConfig(**config["model"])
        self._generate = jax.jit(self._model.generator().apply)

    def __call__(self, faces: Faces, conditions: Faces | None) -> np.ndarray:
        """Returns the crops with drawn faces; see `Method`.

        Raises:
          MethodError: conditions are missing, a face cannot be drawn, or the output is
            not finite.
        """
        if conditions is None:
            raise MethodError("anonygan needs a condition for each face")
        faces.check()
        images, points = self._resize(conditions)
        context = to_float(jnp.asarray(faces.images)) * (1 - faces.masks[..., None])
        output = self._generate(
            self._variables,
            to_float(images),
            context,
            self._model.select_points(points),
            self._model.select_points(jnp.asarray(faces.points_xy)),
        )
        assert isinstance(output, jax.Array)
        if not bool(jnp.isfinite(output).all()):
            raise MethodError("the generator gave numbers that are not finite")
        return np.asarray(to_uint8(output))

    def _resize(self, conditions: Faces) -> tuple[jax.Array, jax.Array]:
        """Conditions at the trained size."""
        size = self._size
        old = conditions.images.shape[1:3]
        images = [
            cv2.resize(image, size[::-1], interpolation=cv2.INTER_AREA)
            for image in conditions.images
        ]
        matrix = crops.resize_transform((old[0], old[1]), size)
        points = crops.transform_points(matrix, conditions.points_xy)
        return jnp.asarray(np.stack(images)), jnp.asarray(points)


def _checkpoint_path(checkpoint: str) -> pathlib.Path:
    """A folder's path, or that of the embedded checkpoint."""
    if checkpoint == EMBEDDED:
        assets = importlib.resources.files("anonygan_jax") / "assets"
        return pathlib.Path(str(assets / "checkpoint"))
    return pathlib.Path(checkpoint)
