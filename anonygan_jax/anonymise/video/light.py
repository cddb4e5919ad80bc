"""HDR's static metadata, which FFmpeg's encoders do not take from pictures."""

import fractions
from typing import Any

import numpy as np
from av.sidedata.sidedata import Type

_COLOURS, _LIGHT = 50_000, 10_000  # x265's units: chromaticity, candela per m2


def x265_light(picture: Any) -> str:
    """Returns x265's parameters of the display that a picture was made for; "" of none.

    Those are SMPTE ST 2086's, and the maximal and average light level (CTA-861.3).
    """
    parts = []
    display = picture.side_data.get(Type.MASTERING_DISPLAY_METADATA)
    if display is not None and (told := _display(bytes(display))):
        parts.append(f"master-display={told}")
    levels = picture.side_data.get(Type.CONTENT_LIGHT_LEVEL)
    if levels is not None:
        most, average = np.frombuffer(bytes(levels), np.uint32)[:2]
        parts.append(f"max-cll={most},{average}")
    return ":".join(parts)


def _display(data: bytes) -> str:
    """FFmpeg's AVMasteringDisplayMetadata in x265's words; "" if it is not whole.

    Red, green, blue, white (x and y each), least and most light, as fractions; then
    whether there are colours, and light.
    """
    numbers = np.frombuffer(data, np.int32)
    if len(numbers) < 22 or not all(numbers[20:22]) or not all(numbers[1:20:2]):
        return ""
    told = [fractions.Fraction(int(n), int(d)) for n, d in numbers[:20].reshape(-1, 2)]
    red, green, blue, white = (
        f"({round(x * _COLOURS)},{round(y * _COLOURS)})"
        for x, y in zip(told[:8:2], told[1:8:2], strict=True)
    )
    least, most = (round(value * _LIGHT) for value in told[8:])
    return f"G{green}B{blue}R{red}WP{white}L({most},{least})"
