"""Configs by their names: files of configs/, which travel in the package."""

import pathlib
import sys
import types

import anonygan_jax

PACKAGE = pathlib.Path(anonygan_jax.__file__).parent


def config_folder() -> pathlib.Path:
    """Returns the folder of this project's configs: installed, or of the repository."""
    installed = PACKAGE / "configs"
    return installed if installed.exists() else PACKAGE.parent / "configs"


def with_config_path(arguments: list[str]) -> list[str]:
    """Returns a command line in which --config names a file.

    A name of `names` that is no file is looked up in `config_folder`: "celeba",
    "celeba:tiny", "configs/celeba.py:tiny" are the same wherever the command is run.
    Paths in other folders stay as they are.

    Args:
      arguments: as in `sys.argv`.
    """
    arguments = list(arguments)
    for number, argument in enumerate(arguments):
        if argument in ("--config", "-config") and number + 1 < len(arguments):
            arguments[number + 1] = _path(arguments[number + 1])
        flag, equals, value = argument.partition("=")
        if flag in ("--config", "-config") and equals:
            arguments[number] = f"{flag}={_path(value)}"
    return arguments


def _path(text: str) -> str:
    """The file of a config's name, with or without :VARIANT; other texts unchanged."""
    name, colon, variant = text.partition(":")
    stem = name.removeprefix("configs/").removesuffix(".py")
    if pathlib.Path(name).is_file() or stem not in names():
        return text
    return f"{config_folder() / stem}.py{colon}{variant}"


def names() -> list[str]:
    """Returns the names of this project's configs."""
    return sorted(path.stem for path in config_folder().glob("[!_]*.py"))


def make_importable() -> None:
    """Lets configs import each other, as `from configs import celeba`, anywhere.

    Those of a folder configs/ where the command runs come first.
    """
    package = types.ModuleType("configs")
    package.__path__ = [str(pathlib.Path("configs").absolute()), str(config_folder())]
    sys.modules["configs"] = package
