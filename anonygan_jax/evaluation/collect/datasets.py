"""Photos to evaluate on: a folder, or a set that TFDS fetches."""

import pathlib

from anonygan_jax.data.prepare.tfds import export_photos
from anonygan_jax.evaluation.collect.folders import Problem, photos_in

LFW, CELEBA = "lfw", "celeba"
# TFDS's builder and split; CelebA's test split as published.
_BUILDERS = {LFW: ("lfw", "train"), CELEBA: ("celeb_a", "test")}


def dataset_photos(
    name: str, cache: pathlib.Path
) -> tuple[dict[str, pathlib.Path], list[Problem]]:
    """Returns the photos of a set as `folders.photos_in` does.

    Args:
      name: a folder; or "lfw" or "celeba", whose photos TFDS fetches and which are
        written into `cache` (once), LFW's as NAME/NAME_0001.
      cache: a folder.

    Raises:
      FolderError: there is no such folder, or no photo in it.
      DatasetError: TFDS or its source cannot be reached.
    """
    if name not in _BUILDERS or pathlib.Path(name).is_dir():
        return photos_in(pathlib.Path(name))
    export_photos(*_BUILDERS[name], cache)
    return photos_in(cache)
