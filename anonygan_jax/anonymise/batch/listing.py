"""The files of a run's input: photos, then videos, and what is not processed."""

import functools
import os
import pathlib
from collections.abc import Callable

from anonygan_jax.anonymise.batch.file_results import (
    FAILED,
    LEFT_OUT,
    FileResult,
    try_file,
)
from anonygan_jax.io import paths
from anonygan_jax.io.inputs import PhotoFile, find_photos
from anonygan_jax.io.kinds import PICTURES, VIDEO

MISSING = "no such file or folder"
ELSEWHERE = "not on this machine: copy it here, or mount the bucket"


class RunError(ValueError):
    """A run without a photo or video."""


def list_files(
    inputs: tuple[str, ...], is_ours: Callable[[pathlib.Path], bool]
) -> tuple[list[PhotoFile], list[tuple[str, FileResult]]]:
    """Returns photos, then videos; and the results of other files, with their names.

    An input that does not exist fails alone, as a missing name of a list does.

    Args:
      inputs: photos, videos, folders, .txt lists.
      is_ours: whether a file is in the folder of results and written by this tool.

    Raises:
      RunError: there is neither a photo nor a video.
      PhotoError: a list cannot be read, or two files cannot be named apart.
    """
    found, others = [], []
    missing = {pathlib.Path(item): item for item in inputs if not os.path.exists(item)}
    for file in find_photos(item for item in inputs if os.path.exists(item)):
        ours = functools.partial(is_ours, file.path)
        known = file.problem is None and try_file(file.path, ours)
        if isinstance(known, FileResult):  # perhaps ours: it cannot be read
            others.append((file.name, known))
        elif not known:
            found.append(file)
    photos = [file for file in found if file.kind in PICTURES]
    videos = [file for file in found if file.kind == VIDEO]
    media = {*photos, *videos}
    if not media:
        problems = [f"; {f.path}: {f.problem}" for f in found if f.problem]
        problems += [
            f"; {item or repr(item)}: {_why(item)}" for item in missing.values()
        ]
        raise RunError(f"no photo or video in the input{''.join(problems)}")
    others += [(file.name, _left_out(file)) for file in found if file not in media]
    others += [
        (
            path.name or repr(item),
            FileResult(item or repr(item), FAILED, reason=_why(item)),
        )
        for path, item in missing.items()
    ]
    return [*photos, *videos], others


def _left_out(file: PhotoFile) -> FileResult:
    """The result of what is neither a photo nor a video."""
    reason = file.problem or "neither a photo nor a video by its suffix"
    kind = FAILED if file.is_loss else LEFT_OUT
    return FileResult(str(file.path), kind, reason=reason)


def _why(item: str) -> str:
    """Why an input is not there."""
    return ELSEWHERE if paths.is_url(item) else MISSING
