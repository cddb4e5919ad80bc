"""Methods that hide faces, by name. A new one is a file here and a line below."""

from collections.abc import Callable

from anonygan_jax.methods.anonygan import AnonyGANMethod
from anonygan_jax.methods.blackout import Blackout
from anonygan_jax.methods.blur import Blur
from anonygan_jax.methods.ciagan import CiaganMethod
from anonygan_jax.methods.loaded_generator import uses_warped_condition
from anonygan_jax.methods.method import Method
from anonygan_jax.methods.pixelate import Pixelate
from anonygan_jax.methods.refine import Refine
from anonygan_jax.methods.trained_generator import TrainedGenerator
from anonygan_jax.methods.warp import Warp
from anonygan_jax.models.names import ANONYGAN, CIAGAN, system_of
from anonygan_jax.weights.checkpoint_folder import (
    EMBEDDED_CHECKPOINT,
    CheckpointError,
    checkpoint_path,
    read_config,
)

AUTO_METHOD = "auto"
DEFAULT_METHOD = Warp.name  # at the floor of a black patch, and free to use


def _anonygan(checkpoint: str) -> tuple[Method, ...]:
    """The method that fits a generator of AnonyGAN."""
    generator = TrainedGenerator(checkpoint)
    if generator.uses_warped_condition:
        return (Refine(generator),)
    return (AnonyGANMethod(generator),)


def _auto(checkpoint: str) -> tuple[Method, ...]:
    """The best method, and one for the faces for which that fails."""
    generator = TrainedGenerator(checkpoint)
    if not generator.uses_warped_condition:
        raise CheckpointError(
            f"{checkpoint} draws faces into holes; auto needs a generator that "
            "improves warped ones, from a run of configs/faces.py"
        )
    return Refine(generator), Warp()


WITHOUT_TRAINING: dict[str, Callable[[], Method]] = {
    Blackout.name: Blackout,
    Blur.name: Blur,
    Pixelate.name: Pixelate,
    Warp.name: Warp,
}
TRAINED: dict[str, Callable[[str], tuple[Method, ...]]] = {  # from a checkpoint
    AUTO_METHOD: _auto,
    ANONYGAN: _anonygan,
    CIAGAN: lambda checkpoint: (CiaganMethod(checkpoint),),
}
METHODS = (*WITHOUT_TRAINING, *TRAINED)


def make_methods(
    name: str, checkpoint: str = EMBEDDED_CHECKPOINT
) -> tuple[Method, ...]:
    """Returns the methods of a name in order of preference; several for "auto" alone.

    Args:
      name: one of METHODS.
      checkpoint: for those of TRAINED, a training run's folder, an export of it, or
        "embedded".

    Raises:
      ValueError: there is no such method.
      CheckpointError: the checkpoint cannot be used.
    """
    if name in WITHOUT_TRAINING:
        return (WITHOUT_TRAINING[name](),)
    if name in TRAINED:
        return TRAINED[name](checkpoint)
    raise ValueError(f"unknown method {name!r}; there are {', '.join(METHODS)}")


def methods_of_checkpoint(checkpoint: str) -> list[str]:
    """Returns the names of the methods that can use a checkpoint, the best first.

    Raises:
      CheckpointError: the checkpoint has no config.
    """
    config = read_config(checkpoint_path(checkpoint))
    system = system_of(config)
    refines = system == ANONYGAN and uses_warped_condition(config)
    return [AUTO_METHOD, system] if refines else [system]
