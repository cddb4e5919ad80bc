"""Packs: prepared faces at the size of training in one file.

NumPy and Pillow read it; neither TFDS nor TensorFlow is needed.
"""

import io
import json
import pathlib
from collections.abc import Sequence

import numpy as np
from PIL import Image

from anonygan_jax.data.dataset import FaceDataset
from anonygan_jax.faces.face import NUM_LANDMARKS
from anonygan_jax.io.arrays import read_arrays
from anonygan_jax.io.atomic_write import atomic_write
from anonygan_jax.io.photos import PhotoError, read_photo

PACK_SUFFIX = ".npz"
VERSION = 1
_ARRAYS = ("starts", "pictures", "points_xy", "identities")
FORMAT = "WEBP"  # two thirds of JPEG's bytes at the same error


class PackError(ValueError):
    """A file that is no pack of faces; the message has its name."""


class FacePack:
    """Random access to the faces of a pack.

    Attributes:
      size: (height, width) of the pictures.
      zoom: of the window that the pictures show, see `alignment.window_transform`.
    """

    def __init__(self, path: pathlib.Path) -> None:
        """Reads the file into memory; the pictures are not decoded.

        Args:
          path: of a file of `write_pack`.

        Raises:
          PackError: there is no such file, or it is no pack.
        """
        self._path = path
        try:
            arrays = read_arrays(path, "about", *_ARRAYS)
            about = json.loads(str(arrays.pop("about")))
            if about["version"] != VERSION:
                raise ValueError(f"version {about['version']}, wanted {VERSION}")
            self.size = (int(about["size"][0]), int(about["size"][1]))
            self.zoom = float(about["zoom"])
            _check(arrays)
            self._identities = [name.decode() for name in arrays["identities"]]
        except (
            ValueError,
            LookupError,
            TypeError,
            OverflowError,
            RecursionError,
        ) as error:
            text = str(error).removeprefix(f"{path}: ")
            raise PackError(
                f"{path}: no pack of faces ({text}); make it with 'anonygan prepare "
                "--pack'"
            ) from error
        self._starts, self._pictures = arrays["starts"], arrays["pictures"]
        self._points_xy = arrays["points_xy"].astype(np.float32)

    def __len__(self) -> int:
        return len(self._identities)

    def labels(self) -> tuple[list[str], np.ndarray]:
        """Returns the N people's names and the landmarks, float32 [N, 68, 2]."""
        return self._identities, self._points_xy

    def images(self, indices: Sequence[int]) -> list[np.ndarray]:
        """Returns the pictures with these numbers, uint8 [H, W, 3].

        Raises:
          PackError: one is damaged, or has another size.
        """
        return [self._decode(index) for index in indices]

    def _decode(self, index: int) -> np.ndarray:
        data = self._pictures[self._starts[index] : self._starts[index + 1]]
        name = f"{self._path}: face {index}"
        try:
            image = read_photo(name, io.BytesIO(data.tobytes()))
        except PhotoError as error:
            raise PackError(str(error)) from error
        if image.shape != (*self.size, 3):
            raise PackError(f"{name}: {image.shape[:2]} pixels, wanted {self.size}")
        return image


def _check(arrays: dict[str, np.ndarray]) -> None:
    """Raises ValueError if the arrays are not those of N faces."""
    num_faces = len(arrays["identities"])
    wanted = {
        "identities": ("S", (num_faces,)),
        "points_xy": ("f", (num_faces, NUM_LANDMARKS, 2)),
        "starts": ("i", (num_faces + 1,)),
        "pictures": ("u", arrays["pictures"].shape[:1]),
    }
    for name, (kind, shape) in wanted.items():
        array = arrays[name]
        if array.dtype.kind != kind or array.shape != shape:
            raise ValueError(f"{name} is {array.dtype} {array.shape}, wanted {shape}")
    ends = (0, *arrays["starts"], len(arrays["pictures"]))
    if arrays["pictures"].itemsize != 1 or list(ends) != sorted(ends):
        raise ValueError("its pictures are not one after another")
    if not np.isfinite(arrays["points_xy"]).all():
        raise ValueError("landmarks that are no numbers")


def write_pack(
    path: pathlib.Path, faces: FaceDataset, identities: Sequence[str], quality: int
) -> int:
    """Writes a pack atomically and returns its size in bytes.

    Landmarks are rounded to a sixteenth of a pixel or less.

    Args:
      path: ends with ".npz".
      faces: at the size and zoom of training.
      identities: the person's name of each face.
      quality: of the pictures' compression, 0 to 100.

    Raises:
      OSError: the file cannot be written.
    """
    every = (faces.read(np.array([index]))[0] for index in range(len(faces)))
    pictures = [_encode(image, quality) for image in every]
    about = {"version": VERSION, "size": faces.size, "zoom": faces.zoom}
    with atomic_write(path) as partial:
        np.savez(
            partial,
            about=json.dumps(about),
            starts=np.cumsum([0] + [len(picture) for picture in pictures]),
            pictures=np.frombuffer(b"".join(pictures), np.uint8),
            points_xy=faces.points_xy.astype(np.float16),
            identities=np.array([name.encode() for name in identities]),
        )
        return partial.stat().st_size


def _encode(image: np.ndarray, quality: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, FORMAT, quality=quality, method=6)
    return buffer.getvalue()
