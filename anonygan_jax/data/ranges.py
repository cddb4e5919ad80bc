"""Ranges of the numbers in a config."""

import math
from typing import Any


def check_ranges(
    section: str, fields: Any, **ranges: float | tuple[float, float]
) -> None:
    """Accepts numbers that are in their ranges.

    Args:
      section: of the config, for the message.
      fields: its dataclass.
      **ranges: the least value of a field, or the least and the greatest one; of a
        field of several numbers for each of them.

    Raises:
      ValueError: a number is out of its range, or not a number.
    """
    for name, wanted in ranges.items():
        low, high = wanted if isinstance(wanted, tuple) else (wanted, math.inf)
        value = getattr(fields, name)
        values = value if isinstance(value, tuple) else (value,)
        if not all(low <= number <= high for number in values):
            among = f"at least {low}" if high == math.inf else f"{low} to {high}"
            raise ValueError(f"{section}.{name} is {value}, wanted {among}")
