"""The detectors' network files, run by ONNX Runtime."""

import importlib.resources
import importlib.util
import pathlib

import cv2
import numpy as np
from jaxtyping import Float

ASSETS = pathlib.Path(
    str(importlib.resources.files("anonygan_jax") / "assets" / "detectors")
)
INSTALL = "pip install 'anonygan_jax[landmarks]'"


class OnnxUnavailable(ImportError):
    """onnxruntime is missing; the message has the command that installs it."""


class OnnxFile:
    """A network from a file, callable from several threads."""

    def __init__(self, name: str, num_threads: int = 0) -> None:
        """Loads assets/detectors/`name`.

        Args:
          num_threads: of one call; 0 for as many as OpenCV uses (`cv2.setNumThreads`).

        Raises:
          OnnxUnavailable: onnxruntime is missing.
        """
        if not importlib.util.find_spec("onnxruntime"):
            raise OnnxUnavailable(f"onnxruntime is missing; install it with: {INSTALL}")
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = num_threads or cv2.getNumThreads()
        # Threads that wait in a loop slow down other threads.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        self._session = onnxruntime.InferenceSession(
            str(ASSETS / name), options, providers=["CPUExecutionProvider"]
        )
        self._input = self._session.get_inputs()[0].name

    def __call__(self, batch: Float[np.ndarray, "..."]) -> list[np.ndarray]:
        """Returns the network's outputs."""
        return self._session.run(None, {self._input: batch})
