"""Faces as mosaics."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, UInt8

from anonygan_jax.faces.masks import PAPER_POLYGON
from anonygan_jax.methods.method import Faces

# Across a face, here and in `anonymise.fallback`. dlib then finds as many faces of LFW
# as in the published row, 1% (measured: 3% at 8).
NUM_CELLS = 6


class Pixelate:
    """Mosaic of square cells in proportion to the face's width; see `Obfuscator`.

    Attributes:
      num_cells: cells across the distance between points 0 and 16.
    """

    name = "pixelate"
    region = PAPER_POLYGON
    crop_size: tuple[int, int] | None = None
    step: int | None = None

    def __init__(self, num_cells: int = NUM_CELLS) -> None:
        if num_cells <= 0:
            raise ValueError(f"num_cells is {num_cells}, wanted a positive number")
        self.num_cells = num_cells

    def __call__(self, faces: Faces) -> UInt8[np.ndarray, "B H W 3"]:
        """Returns the crops with pixelated faces; see `Obfuscator`."""
        faces.check()
        widths = np.linalg.norm(faces.points_xy[:, 16] - faces.points_xy[:, 0], axis=-1)
        sides = jnp.asarray(np.maximum(widths / self.num_cells, 1.0), jnp.float32)
        return np.asarray(_pixelate(faces.images, faces.masks, sides))


@jax.jit
def _pixelate(
    images: UInt8[jax.Array, "B H W 3"],
    masks: Float[jax.Array, "B H W"],
    sides: Float[jax.Array, " B"],
) -> UInt8[jax.Array, "B H W 3"]:
    """Images in which each masked pixel is the mean of its cell."""
    x = images.astype(jnp.float32)
    rows = _cell_matrix(x.shape[1], sides)
    columns = _cell_matrix(x.shape[2], sides)
    cells = jnp.einsum("byh,bhwc,bxw->byxc", rows, x, columns)
    mixed = jnp.where(masks[..., None] > 0, cells, x)
    return jnp.rint(mixed).astype(jnp.uint8)


def _cell_matrix(length: int, sides: jax.Array) -> jax.Array:
    """[B, length, length]: the means over cells along one axis as a matrix."""
    cell = jnp.floor(jnp.arange(length) / sides[:, None])
    same = (cell[:, :, None] == cell[:, None, :]).astype(jnp.float32)
    return same / same.sum(-1, keepdims=True)
