"""A stub of an ONNX Runtime with a GPU: networks are run by the CPU."""

import dataclasses
import pathlib
from typing import Any

import onnxruntime

from anonygan_jax.io.onnx_device import CPU_PROVIDER, GPU_PROVIDER

_real = onnxruntime.InferenceSession


@dataclasses.dataclass
class StubbedRuntime:
    """What it does, and what was asked of it.

    Attributes:
      is_listed: whether it has the provider of the GPU.
      can_load: whether that can be loaded; else it takes the CPU without an error.
      opening, running: errors that a network on the GPU raises.
      opened: the names of network files, and the arguments with which they were opened.
    """

    is_listed: bool = True
    can_load: bool = True
    opening: Exception | None = None
    running: Exception | None = None
    opened: list[tuple[str, dict[str, Any]]] = dataclasses.field(default_factory=list)

    def install(self) -> "StubbedRuntime":
        """Replaces the real one in this process."""
        for name in ("get_available_providers", "InferenceSession"):
            setattr(onnxruntime, name, getattr(self, name))
        return self

    def get_available_providers(self) -> list[str]:
        return [GPU_PROVIDER] * self.is_listed + [CPU_PROVIDER]

    def InferenceSession(self, path: str, options: Any, **arguments: Any) -> Any:
        self.opened.append((pathlib.Path(path).name, arguments))
        is_gpu = arguments["providers"][0] != CPU_PROVIDER
        if is_gpu and self.opening:
            raise self.opening
        session = _real(path, options, providers=[CPU_PROVIDER])
        if is_gpu and self.can_load:
            session.get_providers = lambda: [GPU_PROVIDER, CPU_PROVIDER]
        if is_gpu and self.running:
            session.run = self._fails
        return session

    def devices(self) -> dict[str, set[str]]:
        """Returns the devices of each network file that was opened."""
        found: dict[str, set[str]] = {}
        for name, arguments in self.opened:
            is_cpu = arguments["providers"] == [CPU_PROVIDER]
            found.setdefault(name, set()).add("cpu" if is_cpu else "gpu")
        return found

    def _fails(self, *_: Any) -> None:
        assert self.running
        raise self.running
