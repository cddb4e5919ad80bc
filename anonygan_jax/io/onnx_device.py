"""Where ONNX Runtime runs networks: on the CPU, or on a GPU of NVIDIA."""

import contextlib
import contextvars
import importlib.resources
import logging
import pathlib
from collections.abc import Iterator
from typing import Any

logger = logging.getLogger(__name__)

AUTO, CPU, GPU = "auto", "cpu", "gpu"
DEVICES = (AUTO, CPU, GPU)
CPU_PROVIDER = "CPUExecutionProvider"
# No other: MIGraphX compiles a network anew for each size of a picture, DirectML runs
# it in one thread at a time. TensorRT and Core ML were not tried.
GPU_PROVIDER = "CUDAExecutionProvider"
GPU_OPTIONS = {
    "use_tf32": "0",  # it has 10 bits; all thresholds are of single precision
    # Trying each algorithm takes long for each size of a picture, and chooses by time.
    "cudnn_conv_algo_search": "HEURISTIC",
    "arena_extend_strategy": "kSameAsRequested",  # other workers need memory, too
}
_SMALL_NETWORK = "assets/detectors/face_landmark.onnx"

_device: contextvars.ContextVar[str] = contextvars.ContextVar("device", default=CPU)


class DeviceError(ValueError):
    """A GPU that is asked for and cannot be used; the message says what to install."""


@contextlib.contextmanager
def default_device(device: str) -> Iterator[None]:
    """A block; networks that are made in it run on a device wherever they are called.

    It holds for this thread alone, as `jax.default_device`.

    Args:
      device: as of `resolve`.

    Raises: as `resolve`.
    """
    before = _device.set(resolve(device))
    try:
        yield
    finally:
        _device.reset(before)


def current_device() -> str:
    """Returns the device of networks that are made now: CPU outside of any block."""
    return _device.get()


def resolve(device: str) -> str:
    """Returns CPU or GPU.

    Args:
      device: CPU; GPU; AUTO for the GPU if ONNX Runtime can use it, else the CPU.

    Raises:
      DeviceError: ONNX Runtime cannot use the GPU that is asked for.
      ValueError: no such device.
    """
    if device not in DEVICES:
        raise ValueError(f"device is {device!r}, wanted one of {', '.join(DEVICES)}")
    if device == CPU:
        return CPU
    import onnxruntime

    onnxruntime.preload_dlls()  # CUDA and cuDNN, where pip has installed them
    has_provider = GPU_PROVIDER in onnxruntime.get_available_providers()
    problem = _problem() if has_provider else "this ONNX Runtime is for CPUs alone"
    if not problem:
        return GPU
    if device == GPU:
        raise DeviceError(f"no GPU can be used: {problem}; {_advice(has_provider)}")
    if has_provider:
        logger.warning("the CPU is used, not the GPU: %s", problem)
    return CPU


def _problem() -> str:
    """Why the GPU cannot run a small network; "" if it can."""
    import numpy as np
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    errors: tuple[type[Exception], ...] = (DeviceError, *runtime_errors())
    package = pathlib.Path(str(importlib.resources.files("anonygan_jax")))
    try:
        session = open_session(package / _SMALL_NETWORK, options, GPU)
        inputs = {v.name: np.zeros(v.shape, np.float32) for v in session.get_inputs()}
        session.run(None, inputs)
    except errors as error:
        return " ".join(str(error).split())
    return ""


def _advice(has_provider: bool) -> str:
    """What to do about it."""
    install = "`pip install 'onnxruntime-gpu[cuda,cudnn]'`"
    if has_provider:
        return (
            "it needs a GPU of NVIDIA, its driver, CUDA and cuDNN; "
            f"{install} brings the last two"
        )
    uninstall = "`pip uninstall -y onnxruntime onnxruntime-gpu`"  # they share a folder
    return f"for a GPU of NVIDIA {uninstall}, then {install}"


def open_session(path: pathlib.Path, options: Any, device: str) -> Any:
    """Returns ONNX Runtime's session of a network file.

    Args:
      options: ONNX Runtime's `SessionOptions`.
      device: CPU or GPU.

    Raises:
      DeviceError: ONNX Runtime would take the CPU instead of the GPU.
      Exception: some of `runtime_errors`; the file or the GPU cannot be used.
    """
    import onnxruntime

    if device == CPU:
        return onnxruntime.InferenceSession(
            str(path), options, providers=[CPU_PROVIDER]
        )
    options.use_deterministic_compute = True
    session = onnxruntime.InferenceSession(
        str(path),
        options,
        providers=[(GPU_PROVIDER, GPU_OPTIONS), CPU_PROVIDER],
        enable_fallback=0,  # to the CPU, without a word to us
    )
    if GPU_PROVIDER not in session.get_providers():
        raise DeviceError(f"{GPU_PROVIDER} could not be loaded")
    return session


def runtime_errors() -> tuple[type[Exception], ...]:
    """Returns what ONNX Runtime raises.

    Of a file that is missing, damaged or too new for it, and of a GPU without memory or
    driver.
    """
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    names = (
        "EPFail",
        "Fail",
        "InvalidArgument",
        "InvalidGraph",
        "InvalidProtobuf",
        "NoSuchFile",
        "NotImplemented",
        "RuntimeException",
    )
    return (RuntimeError, *(getattr(state, name) for name in names))
