"""Types of options and arguments that several commands take."""

import pathlib
from typing import Any

import click

from anonygan_jax.io import paths


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
