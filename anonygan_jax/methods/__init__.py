"""Ways to hide a face, one file each, all with one call (`faces.Method`)."""

from anonygan_jax.methods.anonygan import AnonyGANMethod
from anonygan_jax.methods.blackout import Blackout
from anonygan_jax.methods.blur import Blur
from anonygan_jax.methods.faces import Faces, Method, MethodError
from anonygan_jax.methods.generators import EMBEDDED, TrainedGenerator
from anonygan_jax.methods.pixelate import Pixelate
from anonygan_jax.methods.refine import Refine
from anonygan_jax.methods.warp import Warp

__all__ = ["EMBEDDED", "METHODS", "Faces", "Method", "MethodError", "make_method"]

ANONYGAN = "anonygan"
WITHOUT_TRAINING = {
    "blackout": Blackout,
    "blur": Blur,
    "pixelate": Pixelate,
    "warp": Warp,
}
METHODS = (*WITHOUT_TRAINING, ANONYGAN)


def make_method(name: str, checkpoint: str = EMBEDDED) -> Method:
    """Returns the method of a name.

    Args:
      name: one of METHODS.
      checkpoint: for anonygan; see `TrainedGenerator`.

    Raises:
      ValueError: there is no such method.
      CheckpointError: the checkpoint cannot be used.
    """
    if name == ANONYGAN:
        generator = TrainedGenerator(checkpoint)
        if generator.uses_warped_prior:
            return Refine(generator)
        return AnonyGANMethod(generator)
    if name not in WITHOUT_TRAINING:
        raise ValueError(f"unknown method {name!r}; there are {', '.join(METHODS)}")
    return WITHOUT_TRAINING[name]()
