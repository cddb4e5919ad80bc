"""Types of options and arguments that several commands take."""

import pathlib
from collections.abc import Callable
from typing import Any

import click

from anonygan_jax.io import extras, fork_server, onnx_device, paths


class _Path(click.Path):
    """A file or folder of this machine; an address of a bucket is none."""

    def convert(self, value: Any, *args: Any) -> Any:
        try:
            paths.local_path(value)
        except paths.PathError as error:
            self.fail(str(error), *args)
        return super().convert(value, *args)


class _Folder(_Path):
    """A folder; an empty text is an unset variable, not the current folder."""

    def convert(self, value: Any, *args: Any) -> Any:
        if value == "":
            self.fail("is empty; name a folder, . is the current one", *args)
        return super().convert(value, *args)


class _FolderOrBucket(_Folder):
    """A folder of this machine, or one in a bucket."""

    def convert(self, value: Any, *args: Any) -> Any:
        if not paths.is_url(str(value)):
            return super().convert(value, *args)
        try:
            return paths.path_of(str(value))
        except paths.PathError as error:
            self.fail(str(error), *args)


FOLDER = _Folder(path_type=pathlib.Path, file_okay=False)
FOLDER_OR_BUCKET = _FolderOrBucket(path_type=pathlib.Path, file_okay=False)
EXISTING_FOLDER = _Path(path_type=pathlib.Path, file_okay=False, exists=True)
FILE = _Path(path_type=pathlib.Path, dir_okay=False)
EXISTING_FILE = _Path(path_type=pathlib.Path, dir_okay=False, exists=True)


def _beam_options(
    _context: object, _parameter: object, value: str | None
) -> str | None:
    """The same text, if Beam is here and can read it."""
    if value is None:
        return None
    extras.require("--beam", "beam", "apache_beam")
    from anonygan_jax.io.beam_pipeline import parse_options

    try:
        parse_options(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    return value


def beam_option(text: str) -> Callable:
    """Returns the option --beam; `text` explains it."""
    return click.option("--beam", metavar="OPTIONS", callback=_beam_options, help=text)


def _resolved_device(_context: object, _parameter: object, value: str) -> str:
    """CPU or GPU; refuses a GPU that cannot be used."""
    try:
        device = onnx_device.resolve(value)
    except onnx_device.DeviceError as error:
        raise click.ClickException(f"--device {value}: {error}") from error
    if device == onnx_device.GPU:
        fork_server.leave()
    return device


device_option = click.option(
    "--device",
    type=click.Choice(onnx_device.DEVICES),
    default=onnx_device.CPU,
    show_default=True,
    callback=_resolved_device,
    help="What runs the networks; gpu: one of NVIDIA, needs onnxruntime-gpu; auto: the "
    "GPU if it can be used, else the CPU. Results of the two differ by rounding.",
)
