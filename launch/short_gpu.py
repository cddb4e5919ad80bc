"""Trains on a GPU that is lent for minutes: nothing is tuned before the first step.

    python -m launch.short_gpu --config=configs/faces.py:gpu --workdir=runs/faces

As `python -m anonygan_jax.main`, whose flags it takes, but convolutions are products of
matrices. XLA tries cuDNN's algorithms for each convolution, which took minutes for the
default model on an H200; untried, they trained 49 pairs a second. cuBLAS picks well
untried: 3,079 pairs a second after 46 seconds (docs/SCALING.md). The rows of the
matrices hold each pixel's neighbourhood, nine times the memory for a 3x3 kernel: for
networks of this width, not for `configs/celeba.py:paper`. The share of the peak ("mfu")
that a run reports leaves them out, as XLA does not count what cuBLAS does.
"""

import os

import jax
import jax.numpy as jnp
from absl import app

from anonygan_jax.models.layers import NHWC

# Triton's products would be tuned, too.
UNTUNED = "--xla_gpu_autotune_level=0 --xla_gpu_enable_triton_gemm=false"

_tuned = jax.lax.conv_general_dilated


def convolve(
    x: jax.Array,
    kernel: jax.Array,
    window_strides: tuple[int, ...],
    padding: str | tuple[tuple[int, int], ...],
    *others: object,
    dimension_numbers: object = None,
    **more: object,
) -> jax.Array:
    """Returns what `jax.lax.conv_general_dilated` does, float [B, h, w, F].

    Those that are not as this package's networks have them are left to it: of other
    ranks, orders of dimensions, dilations or groups.

    Args:
      x: float [B, H, W, C].
      kernel: float [k, l, C, F].
      window_strides: down and across.
      padding: of rows and of columns, before and after; or "VALID".
      others, dimension_numbers, more: as JAX's.
    """
    if x.ndim != 4 or others or more or dimension_numbers != NHWC:
        return _tuned(
            x,
            kernel,
            window_strides,
            padding,
            *others,
            dimension_numbers=dimension_numbers,
            **more,
        )
    if padding != "VALID":
        x = jnp.pad(x, ((0, 0), *padding, (0, 0)))
    patches = _patches(x, kernel.shape[:2], window_strides)
    batch, height, width, size = patches.shape
    rows = patches.reshape(batch, height * width, size)
    out = _product(rows, kernel.reshape(size, -1))
    return out.reshape(batch, height, width, -1)


def _patches(
    x: jax.Array, size: tuple[int, ...], strides: tuple[int, ...]
) -> jax.Array:
    """The neighbourhoods under a kernel, [B, h, w, k * l * C]."""
    height, width = (
        (x.shape[1 + axis] - size[axis]) // strides[axis] + 1 for axis in (0, 1)
    )
    rows, columns = (
        (n - 1) * s + 1 for n, s in zip((height, width), strides, strict=True)
    )
    taps = [
        x[:, i : i + rows : strides[0], j : j + columns : strides[1]]
        for i in range(size[0])
        for j in range(size[1])
    ]
    return jnp.concatenate(taps, axis=-1)


@jax.custom_vjp
def _product(rows: jax.Array, kernel: jax.Array) -> jax.Array:
    """[B, P, K] times [K, F]."""
    return rows @ kernel


def _forward(rows: jax.Array, kernel: jax.Array):
    return _product(rows, kernel), (rows, kernel)


def _backward(saved: tuple[jax.Array, jax.Array], cotangent: jax.Array):
    """The kernel's gradient picture by picture: in one product few columns would wait
    for a sum over millions of rows."""
    rows, kernel = saved
    pictures = jnp.einsum(
        "bpk,bpf->bkf", rows, cotangent, preferred_element_type=jnp.float32
    )
    to_kernel = jax.lax.optimization_barrier(pictures).sum(0)
    return cotangent @ kernel.T, to_kernel.astype(kernel.dtype)


_product.defvjp(_forward, _backward)

if __name__ == "__main__":
    os.environ["XLA_FLAGS"] = f"{UNTUNED} {os.environ.get('XLA_FLAGS', '')}"
    jax.lax.conv_general_dilated = convolve
    from anonygan_jax.main import main  # defines its flags, as others' entry points do

    app.run(main)
