"""The package's network files, run by ONNX Runtime."""

import importlib.resources
import pathlib

import cv2
import numpy as np
from jaxtyping import Float

ASSETS = pathlib.Path(str(importlib.resources.files("anonygan_jax") / "assets"))


class OnnxError(ValueError):
    """A file that is no network, or a damaged one."""


class OnnxFile:
    """A network from a file, callable from several threads.

    Attributes:
      notes: that its maker put into the file.
    """

    def __init__(
        self,
        path: pathlib.Path,
        num_threads: int = 0,
        weights: dict[str, np.ndarray] | None = None,
    ) -> None:
        """Loads the network.

        Args:
          path: of the .onnx file.
          num_threads: of one call; 0 for as many as OpenCV uses (`cv2.setNumThreads`).
          weights: of a file without them, by the names that it gives them.

        Raises:
          OnnxError: the file cannot be used.
        """
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = num_threads or cv2.getNumThreads()
        # Threads that wait in a loop slow down other threads.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        values = {
            name: onnxruntime.OrtValue.ortvalue_from_numpy(array)
            for name, array in (weights or {}).items()
        }
        options.add_external_initializers(list(values), list(values.values()))
        try:
            self._session = onnxruntime.InferenceSession(
                str(path), options, providers=["CPUExecutionProvider"]
            )
        except _errors() as error:
            raise OnnxError(f"{path}: {' '.join(str(error).split())}") from error
        self._inputs = [value.name for value in self._session.get_inputs()]
        self.notes = dict(self._session.get_modelmeta().custom_metadata_map)

    def __call__(self, *inputs: Float[np.ndarray, "..."]) -> list[np.ndarray]:
        """Returns the network's outputs."""
        return self._session.run(None, dict(zip(self._inputs, inputs, strict=True)))


def _errors() -> tuple[type[Exception], ...]:
    """What ONNX Runtime raises where a file is missing, damaged or too new for it."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    names = (
        "Fail",
        "InvalidArgument",
        "InvalidGraph",
        "InvalidProtobuf",
        "NoSuchFile",
        "NotImplemented",
        "RuntimeException",
    )
    return tuple(getattr(state, name) for name in names)
