"""EXIF's orientation of pixels."""

import numpy as np

UPRIGHT = 1
# For each number: whether to transpose, to flip rows, to flip columns, in this order.
_TURNS = {
    1: (False, False, False),
    2: (False, False, True),
    3: (False, True, True),
    4: (False, True, False),
    5: (True, False, False),
    6: (True, False, True),
    7: (True, True, True),
    8: (True, True, False),
}


def upright(stored: np.ndarray, orientation: int) -> np.ndarray:
    """Returns a view of [H, W, ...] as it is to be seen."""
    transposes, flips_rows, flips_columns = _TURNS[orientation]
    seen = stored.swapaxes(0, 1) if transposes else stored
    seen = seen[::-1] if flips_rows else seen
    return seen[:, ::-1] if flips_columns else seen


def as_stored(seen: np.ndarray, orientation: int) -> np.ndarray:
    """Returns a view of an upright [H, W, ...] as it is stored."""
    transposes, flips_rows, flips_columns = _TURNS[orientation]
    stored = seen[:, ::-1] if flips_columns else seen
    stored = stored[::-1] if flips_rows else stored
    return stored.swapaxes(0, 1) if transposes else stored


def known(orientation: object) -> int:
    """Returns the number of a tag's value; 1 if there is no such number."""
    is_number = isinstance(orientation, int) and orientation in _TURNS
    return int(orientation) if is_number else UPRIGHT  # type: ignore[call-overload]
