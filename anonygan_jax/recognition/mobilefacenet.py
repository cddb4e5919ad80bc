"""MobileFaceNet's descriptor: 192 numbers of unit length, by ONNX Runtime.

The network and its weights: `models.pretrained.mobilefacenet`, assets/recognisers.
"""

import numpy as np

from anonygan_jax.io.arrays import read_arrays
from anonygan_jax.io.onnx_file import ASSETS, OnnxFile
from anonygan_jax.recognition.template import template_crop

GRAPH = ASSETS / "recognisers" / "mobilefacenet.onnx"
WEIGHTS = ASSETS / "recognisers" / "mobilefacenet.npz"
OFFSET, SCALE = 127.5, 128.0  # the network gets (pixel - OFFSET) / SCALE


class MobileFaceNetDescriptor:
    """MobileFaceNet; see `Descriptor`."""

    def __init__(self) -> None:
        """Takes the network, which is loaded at the first call."""
        self._network = OnnxFile(GRAPH, num_threads=1, weights=_weights)  # small

    def __call__(self, image_u8: np.ndarray, points_xy: np.ndarray) -> np.ndarray:
        """Returns a face's descriptor, float32 [192] of length 1; see `Descriptor`.

        Raises:
          ArraysError, OnnxError: the package is damaged.
        """
        crop = template_crop(image_u8, points_xy).astype(np.float32)
        (found,) = self._network((crop[None] - OFFSET) / SCALE)
        return found.ravel() / np.linalg.norm(found)


def _weights() -> dict[str, np.ndarray]:
    """The network's weights, by name."""
    return {name: onnx_layout(array) for name, array in read_arrays(WEIGHTS).items()}


def onnx_layout(array: np.ndarray) -> np.ndarray:
    """Returns a weight of Flax's layout as float32 of ONNX's.

    Kernels [H, W, I, O] become [O, I, H, W]; vectors [C] are unchanged.
    """
    array = array.astype(np.float32)
    return np.ascontiguousarray(
        array.transpose(3, 2, 0, 1) if array.ndim == 4 else array
    )
