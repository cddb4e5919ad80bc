"""The package's network files, run by ONNX Runtime."""

import importlib.resources
import pathlib
import threading
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from jaxtyping import Float

from anonygan_jax.io.onnx_device import current_device, open_session, runtime_errors

ASSETS = pathlib.Path(str(importlib.resources.files("anonygan_jax") / "assets"))


class OnnxError(ValueError):
    """A file that is no network, or a damaged one."""


class OnnxFile:
    """A network from a file, callable from several threads.

    It is loaded when it is used: a process that never does, does not wait for it. It
    runs on the device of the block in which it was made, see `default_device`.
    """

    def __init__(
        self,
        path: pathlib.Path,
        num_threads: int = 0,
        weights: Callable[[], dict[str, np.ndarray]] | None = None,
    ) -> None:
        """Takes what is to be loaded.

        Args:
          path: of the .onnx file.
          num_threads: of one call; 0 for as many as OpenCV uses (`cv2.setNumThreads`).
          weights: gives those of a file without them, by the names that it has.
        """
        self._path, self._num_threads, self._weights = path, num_threads, weights
        self._device = current_device()
        self._lock = threading.Lock()
        self._loaded: Any = None

    def __call__(self, *inputs: Float[np.ndarray, "..."]) -> list[np.ndarray]:
        """Returns the network's outputs.

        Raises:
          OnnxError: the file cannot be used.
          DeviceError: the GPU cannot be used.
        """
        session = self._session()
        names = [value.name for value in session.get_inputs()]
        return session.run(None, dict(zip(names, inputs, strict=True)))

    def notes(self) -> dict[str, str]:
        """Returns what its maker put into the file.

        Raises:
          OnnxError: the file cannot be used.
          DeviceError: the GPU cannot be used.
        """
        return dict(self._session().get_modelmeta().custom_metadata_map)

    def _session(self) -> Any:
        """ONNX Runtime's session."""
        with self._lock:
            if self._loaded is None:
                self._loaded = self._load()
        return self._loaded

    def _load(self) -> Any:
        """A new session."""
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = self._num_threads or cv2.getNumThreads()
        # Threads that wait in a loop slow down other threads.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        values = {
            name: onnxruntime.OrtValue.ortvalue_from_numpy(array)
            for name, array in (self._weights() if self._weights else {}).items()
        }
        options.add_external_initializers(list(values), list(values.values()))
        try:
            return open_session(self._path, options, self._device)
        except runtime_errors() as error:
            raise OnnxError(f"{self._path}: {' '.join(str(error).split())}") from error
