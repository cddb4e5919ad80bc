"""Photos of a TFDS data set, written as files."""

import pathlib
from collections import Counter
from typing import Any

import tqdm
from PIL import Image

from anonygan_jax.io import extras

COMPLETE = ".complete"  # ends the name of an empty file beside a finished folder
BUILDERS = ("lfw", "celeb_a")
PACKAGES = ("importlib_resources", "tensorflow")  # that TFDS imports for them


class DatasetError(ValueError):
    """A data set that cannot be downloaded; the message has the reason."""


def export_photos(builder: str, split: str, folder: pathlib.Path) -> None:
    """Writes the photos of a split as PNG files, once.

    They are named PERSON/PERSON_0001.png: the person's name of LFW, number of CelebA.

    Args:
      builder: name of the data set.
      split: of the data set.
      folder: for the files.

    Raises:
      DatasetError: TFDS or the set's host cannot be reached.
      MissingPackage: TensorFlow is missing, with which TFDS unpacks and reads it.
    """
    complete = folder.with_name(folder.name + COMPLETE)
    if complete.exists():
        return
    extras.require(f"{builder} by TFDS", "evaluation", *PACKAGES)
    import tensorflow_datasets as tfds

    unreachable = (  # network and disk, an unknown split, a bad file
        OSError,
        ValueError,
        tfds.download.DownloadError,
        tfds.download.download_manager.NonMatchingChecksumError,
        tfds.download.extractor.ExtractError,
    )
    try:
        dataset: Any = tfds.load(builder, split=split)
    except unreachable as error:
        raise DatasetError(
            f"{builder}: TFDS cannot load it ({type(error).__name__}: {error}); give a "
            "folder of its photos instead"
        ) from error
    counts: Counter[str] = Counter()
    photos = tqdm.tqdm(tfds.as_numpy(dataset), builder, unit="photo")
    for photo in photos:
        person = _person(photo)
        counts[person] += 1
        path = folder / person / f"{person}_{counts[person]:04d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(photo["image"]).save(path)
    complete.touch()


def _person(photo: dict[str, Any]) -> str:
    """Name or number of the person of an example."""
    if "label" in photo:
        return photo["label"].decode()
    return str(photo["identity"]["Identity_No"])
