"""Plans of tracks for other processes, which have the same methods loaded."""

import io
import pickle
from collections.abc import Sequence
from typing import Any

from anonygan_jax.anonymise.video.planning import TrackPlan
from anonygan_jax.methods.method import Method


def pack_plans(plans: dict[int, TrackPlan], methods: Sequence[Method]) -> bytes:
    """Returns plans of tracks with numbers instead of methods.

    Args:
      methods: see `Anonymiser.methods`.
    """
    file = io.BytesIO()
    _Pickler(file, methods).dump(plans)
    return file.getvalue()


def unpack_plans(packed: bytes, methods: Sequence[Method]) -> dict[int, TrackPlan]:
    """Returns the plans that `pack_plans` packed, of the same methods."""
    return _Unpickler(io.BytesIO(packed), methods).load()  # safe: we packed them


class _Pickler(pickle.Pickler):
    def __init__(self, file: io.BytesIO, methods: Sequence[Method]) -> None:
        super().__init__(file)
        self._methods = methods

    def persistent_id(self, obj: Any) -> int | None:
        """Returns a method's number; None of other objects."""
        return next((n for n, m in enumerate(self._methods) if m is obj), None)


class _Unpickler(pickle.Unpickler):
    def __init__(self, file: io.BytesIO, methods: Sequence[Method]) -> None:
        super().__init__(file)
        self._methods = methods

    def persistent_load(self, pid: Any) -> Method:
        """Returns the method of a number."""
        return self._methods[pid]
