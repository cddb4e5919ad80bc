"""Prepared faces by their name in a config: a folder, a pack, or "embedded"."""

import pathlib

from anonygan_jax.data.dataset import FaceDataset, StoredFaces
from anonygan_jax.data.pack import PACK_SUFFIX, FacePack, write_pack
from anonygan_jax.io.fetch import fetch


def open_store(directory: str) -> StoredFaces:
    """Returns the faces of a folder or a pack; of "embedded", the package's composites.

    Those in a bucket are copied to this machine first, once.

    Raises:
      RecordsError, PackError, PathError: there are none.
      BucketError: a bucket cannot be read.
    """
    local = fetch(directory)
    if directory.endswith(PACK_SUFFIX):
        return FacePack(local)
    from anonygan_jax.data.records import FaceRecords  # imports TFDS: seconds

    return FaceRecords(local)


def pack_stores(
    directories: list[str],
    output: pathlib.Path,
    size: tuple[int, int],
    zoom: float,
    quality: int,
) -> dict[pathlib.Path, int]:
    """Writes a pack of each folder, with its name, and returns their sizes in bytes.

    Args:
      directories: see `open_store`.
      output: folder for the packs.
      size, zoom: of training.
      quality: see `write_pack`.

    Raises:
      ValueError: two directories have one name, or a pack has another size.
      RecordsError, PackError: there are no faces.
    """
    paths = {
        output / f"{pathlib.Path(name).stem}{PACK_SUFFIX}": name for name in directories
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
