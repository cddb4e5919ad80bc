"""Photos to evaluate on: a folder, or a set that TFDS fetches."""

import pathlib
from collections import Counter
from typing import Any

import tqdm

from anonygan_jax.anonymise.media import write_photo
from anonygan_jax.evaluation.folders import Problem, photos_in

LFW, CELEBA = "lfw", "celeba"
# TFDS's builder and split; CelebA's test split as published.
_BUILDERS = {LFW: ("lfw", "train"), CELEBA: ("celeb_a", "test")}
_COMPLETE = ".complete"


class DatasetError(ValueError):
    """A named data set that cannot be had; the message says why."""


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
    if not (cache / _COMPLETE).exists():
        _export(name, cache)
    return photos_in(cache)


def _export(name: str, folder: pathlib.Path) -> None:
    """Writes the photos of a TFDS set as PNG, whose pixels are the set's."""
    import tensorflow_datasets as tfds

    builder, split = _BUILDERS[name]
    try:
        dataset: Any = tfds.load(builder, split=split)
        photos = tfds.as_numpy(dataset)
    except Exception as error:  # whatever the set's host, TFDS or TensorFlow raise
        raise DatasetError(
            f"{name}: TFDS cannot load {builder} ({type(error).__name__}: {error}); "
            "give a folder of its photos instead"
        ) from error
    counts: Counter[str] = Counter()
    for number, photo in enumerate(tqdm.tqdm(photos, name, unit="photo"), 1):
        path = f"{number:06d}.png"
        if name == LFW:
            person = photo["label"].decode()
            counts[person] += 1
            path = f"{person}/{person}_{counts[person]:04d}.png"
        write_photo(folder / path, photo["image"])
    (folder / _COMPLETE).touch()
