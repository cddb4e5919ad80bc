"""Types of options and arguments that several commands take."""

import pathlib
from typing import Any

import click

NO_BEAM = "--beam needs Apache Beam: pip install 'anonygan_jax[beam]'"


class _Folder(click.Path):
    """A folder; an empty text is an unset variable, not the current folder."""

    def convert(self, value: Any, *args: Any) -> Any:
        if value == "":
            self.fail("is empty; name a folder, . is the current one", *args)
        return super().convert(value, *args)


FOLDER = _Folder(path_type=pathlib.Path, file_okay=False)
EXISTING_FOLDER = click.Path(path_type=pathlib.Path, file_okay=False, exists=True)
FILE = click.Path(path_type=pathlib.Path, dir_okay=False)
EXISTING_FILE = click.Path(path_type=pathlib.Path, dir_okay=False, exists=True)
