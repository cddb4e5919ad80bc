"""AnonyGAN in JAX: faces in photos replaced by faces that belong to nobody.

import anonygan_jax

anonymise = anonygan_jax.Anonymiser()
result = anonymise(image_u8)  # result.image, result.faces
"""

import importlib
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from anonygan_jax.anonymise.anonymiser import AnonymisedPhoto as AnonymisedPhoto
    from anonygan_jax.anonymise.anonymiser import Anonymiser as Anonymiser
    from anonygan_jax.anonymise.errors import NoFaceError as NoFaceError

# epath reads it once, when Orbax or TFDS are imported: buckets are opened by fsspec,
# whether TensorFlow, which knows gs:// only, is installed or not.
os.environ.setdefault("EPATH_USE_TF", "false")

__version__ = "0.2.0.dev0"
__all__ = ["AnonymisedPhoto", "Anonymiser", "NoFaceError", "__version__"]


def __getattr__(name: str) -> Any:
    """Loads the anonymiser when it is first asked for: training does without it."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module("anonygan_jax.anonymise.anonymiser"), name)
