"""Ways to hide a face, one file each, all with one call (`faces.Method`)."""

from anonygan_jax.methods.anonygan import AnonyGANMethod
from anonygan_jax.methods.auto import AUTO, Auto
from anonygan_jax.methods.blackout import Blackout
from anonygan_jax.methods.blur import Blur
from anonygan_jax.methods.ciagan import CiaganMethod
from anonygan_jax.methods.method import Faces, Method, MethodError, NewFaces
from anonygan_jax.methods.pixelate import Pixelate
from anonygan_jax.methods.refine import Refine
from anonygan_jax.methods.trained_generator import (
    EMBEDDED,
    TrainedGenerator,
    trained_methods,
)
from anonygan_jax.methods.warp import Warp
from anonygan_jax.models.config import ANONYGAN, CIAGAN
from anonygan_jax.weights.generator_checkpoint import CheckpointError

__all__ = [
    "AUTO",
    "DEFAULT",
    "EMBEDDED",
    "METHODS",
    "TRAINED",
    "WITHOUT_TRAINING",
    "Auto",
    "Faces",
    "Method",
    "MethodError",
    "NewFaces",
    "make_method",
    "trained_methods",
]

WITHOUT_TRAINING = {kind.name: kind for kind in (Blackout, Blur, Pixelate, Warp)}
TRAINED = (AUTO, ANONYGAN, CIAGAN)
METHODS = (*WITHOUT_TRAINING, *TRAINED)
DEFAULT = AUTO  # measures best; its weights are for research alone


def make_method(name: str, checkpoint: str = EMBEDDED) -> Method:
    """Returns the method of a name.

    Args:
      name: one of METHODS.
      checkpoint: for those of TRAINED; see `generators.load_trained`.

    Raises:
      ValueError: there is no such method.
      CheckpointError: the checkpoint cannot be used.
    """
    if name in (ANONYGAN, AUTO):
        generator = TrainedGenerator(checkpoint)
        if generator.uses_warped_condition:
            refine = Refine(generator)
            return refine if name == ANONYGAN else Auto(refine, Warp())
        if name == AUTO:
            raise CheckpointError(
                f"{checkpoint} draws faces into holes; auto needs a generator that "
                "improves warped ones, from a run of configs/faces.py"
            )
        return AnonyGANMethod(generator)
    if name == CIAGAN:
        return CiaganMethod(checkpoint)
    if name not in WITHOUT_TRAINING:
        raise ValueError(f"unknown method {name!r}; there are {', '.join(METHODS)}")
    return WITHOUT_TRAINING[name]()
