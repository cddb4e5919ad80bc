"""Generators loaded to draw: from an ONNX file, or from what a run wrote, by JAX."""

import dataclasses
import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np

from anonygan_jax.io.fetch import fetch
from anonygan_jax.io.onnx_device import DeviceError
from anonygan_jax.io.onnx_file import OnnxFile
from anonygan_jax.models.names import ANONYGAN, CIAGAN, system_of
from anonygan_jax.weights.checkpoint_folder import (
    EMBEDDED_CHECKPOINT,
    ONNX_FILE,
    STEP_NOTE,
    CheckpointError,
    checkpoint_path,
    read_config,
)

# Of each system, a config that trains it.
CONFIGS = {ANONYGAN: "configs/faces.py", CIAGAN: "configs/ciagan.py"}


@dataclasses.dataclass(frozen=True)
class LoadedGenerator:
    """A generator and where it is from.

    Attributes:
      config: of its run.
      draw: its inputs, as of `weights.drawing.input_shapes`, to float32 [B, H, W, 3].
      step: training step of the weights.
    """

    config: dict[str, Any]
    draw: Callable[..., np.ndarray]
    step: int

    @property
    def size(self) -> tuple[int, int]:
        """(height, width) of the images that it draws."""
        height, width = self.config["data"]["image_size"]
        return int(height), int(width)


def uses_warped_condition(config: dict[str, Any]) -> bool:
    """Returns whether a config's AnonyGAN improves a warped face."""
    return bool(config["model"].get("uses_warped_condition", False))


def load_trained(checkpoint: str, system: str) -> LoadedGenerator:
    """Returns the generator of a checkpoint.

    ONNX Runtime draws where there is an ONNX file, JAX where there is none.

    Raises:
      CheckpointError: there is no checkpoint, or one of another system.
    """
    folder = checkpoint_path(checkpoint)
    config = read_config(folder)
    trained = system_of(config)
    if trained != system:
        where = "the package" if checkpoint == EMBEDDED_CHECKPOINT else checkpoint
        raise CheckpointError(
            f"{where} holds a generator of {trained}; {system} needs its own, from a "
            f"run of {CONFIGS[system]}: give --checkpoint"
        )
    if (folder / ONNX_FILE).exists():
        return _from_onnx(folder, config)
    # JAX takes a second to import.
    from anonygan_jax.methods.flax_generator import FlaxGenerator

    generator = FlaxGenerator(folder)
    return LoadedGenerator(config, generator, generator.step)


def _from_onnx(folder: pathlib.Path, config: dict[str, Any]) -> LoadedGenerator:
    """The generator of an export for ONNX Runtime."""
    try:
        network = OnnxFile(fetch(str(folder / ONNX_FILE)))
        step = int(network.notes()[STEP_NOTE])
    except DeviceError:
        raise
    except (KeyError, ValueError) as error:
        raise CheckpointError(
            f"{folder / ONNX_FILE}: damaged, or not from `anonygan export` ({error})"
        ) from error
    return LoadedGenerator(config, lambda *inputs: network(*inputs)[0], step)
