"""Prepared faces by the name that a config gives them: folders, packs, the embedded."""

import pathlib

from anonygan_jax.data.dataset import FaceDataset, StoredFaces
from anonygan_jax.data.pack import SUFFIX, FacePack, write_pack


def open_store(directory: str) -> StoredFaces:
    """Returns the faces of a folder, of a pack, or, for "embedded", the package's.

    Raises:
      RecordsError, PackError: there are none.
    """
    if directory.endswith(SUFFIX):
        return FacePack(pathlib.Path(directory))
    from anonygan_jax.data.records import FaceRecords  # TFDS: seconds, and not needed

    return FaceRecords(directory)


def pack_stores(
    directories: list[str],
    output: pathlib.Path,
    size: tuple[int, int],
    zoom: float,
    quality: int,
) -> dict[pathlib.Path, int]:
    """Writes a pack of each folder, called as it, and returns their sizes in bytes.

    Args:
      directories: as `open_store` takes them.
      output: folder for the packs.
      size, zoom: of the training.
      quality: see `write_pack`.

    Raises:
      ValueError: two have one name.
      RecordsError, PackError: there are no faces.
    """
    paths = {
        output / f"{pathlib.Path(name).stem}{SUFFIX}": name for name in directories
    }
    if len(paths) < len(directories):
        raise ValueError(f"two of {', '.join(directories)} have one name")
    sizes = {}
    for path, name in paths.items():
        store = open_store(name)
        identities, points = store.labels()
        faces = FaceDataset([store], [points], size, zoom)
        sizes[path] = write_pack(path, faces, identities, quality)
    return sizes
