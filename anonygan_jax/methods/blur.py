"""Faces blurred."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, UInt8

from anonygan_jax.faces.masks import PAPER_POLYGON
from anonygan_jax.methods.method import Faces

# Of the face's width. dlib then finds about as many faces of LFW as in the published
# row, 4% (measured: 17% at 0.12, 2.5% at 0.16, 0.5% at 0.2).
SIGMA = 0.15
TRUNCATE = 3.0  # standard deviations


class Blur:
    """Gaussian blur in proportion to the face's width; see `Obfuscator`.

    Attributes:
      sigma: standard deviation as a share of the distance between points 0 and 16.
    """

    name = "blur"
    region = PAPER_POLYGON
    crop_size: tuple[int, int] | None = None
    step: int | None = None

    def __init__(self, sigma: float = SIGMA) -> None:
        if sigma <= 0:
            raise ValueError(f"sigma is {sigma}, wanted a positive share")
        self.sigma = sigma

    def __call__(self, faces: Faces) -> UInt8[np.ndarray, "B H W 3"]:
        """Returns the crops with blurred faces; see `Obfuscator`."""
        faces.check()
        widths = np.linalg.norm(faces.points_xy[:, 16] - faces.points_xy[:, 0], axis=-1)
        sigmas = jnp.asarray(self.sigma * widths, jnp.float32)
        return np.asarray(_blur(faces.images, faces.masks, sigmas))


@jax.jit
def _blur(
    images: UInt8[jax.Array, "B H W 3"],
    masks: Float[jax.Array, "B H W"],
    sigmas: Float[jax.Array, " B"],
) -> UInt8[jax.Array, "B H W 3"]:
    """Images blurred inside the masks; each row of weights is normalised at borders."""
    x = images.astype(jnp.float32)
    rows = _gaussian_matrix(x.shape[1], sigmas)
    columns = _gaussian_matrix(x.shape[2], sigmas)
    blurred = jnp.einsum("byh,bhwc,bxw->byxc", rows, x, columns)
    mixed = jnp.where(masks[..., None] > 0, blurred, x)
    return jnp.rint(mixed).astype(jnp.uint8)


def _gaussian_matrix(length: int, sigmas: jax.Array) -> jax.Array:
    """[B, length, length]: the blur along one axis as a matrix whose rows sum to 1."""
    places = jnp.arange(length, dtype=jnp.float32)
    distance = places[None, :, None] - places[None, None, :]
    sigma = sigmas[:, None, None]
    weights = jnp.exp(-0.5 * (distance / sigma) ** 2)
    weights = jnp.where(jnp.abs(distance) <= TRUNCATE * sigma, weights, 0.0)
    return weights / weights.sum(-1, keepdims=True)
