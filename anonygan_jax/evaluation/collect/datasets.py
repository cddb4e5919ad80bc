"""Photos to evaluate on: of a folder, or of a set that TFDS downloads."""

import pathlib

from anonygan_jax.data.prepare.tfds import export_photos
from anonygan_jax.evaluation.collect.folders import Problem, photos_in
from anonygan_jax.io.fetch import fetch

LFW, CELEBA = "lfw", "celeba"
# TFDS's builder and split; of CelebA the published test split.
_BUILDERS = {LFW: ("lfw", "train"), CELEBA: ("celeb_a", "test")}


def dataset_photos(
    name: str, cache: pathlib.Path
) -> tuple[dict[str, pathlib.Path], list[Problem]]:
    """Returns the photos of a set by name, and problems, as `folders.photos_in`.

    Args:
      name: a folder, perhaps in a bucket; or "lfw" or "celeba", which TFDS downloads.
      cache: folder into which downloaded photos are written, once, as
        PERSON/PERSON_0001.

    Raises:
      FolderError: there is no such folder, or no photo in it.
      DatasetError: TFDS or the host of the set cannot be reached.
    """
    if name not in _BUILDERS or pathlib.Path(name).is_dir():
        return photos_in(fetch(name))
    export_photos(*_BUILDERS[name], cache)
    return photos_in(cache)
