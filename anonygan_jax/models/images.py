"""Images between uint8 and the networks' float32 in [-1, 1], of NumPy or of JAX."""

from typing import Any

from jaxtyping import Float, Shaped, UInt8


def image_size(images: Shaped[Any, "B H W C"]) -> tuple[int, int]:
    """Returns (height, width) of a batch of images."""
    return images.shape[1], images.shape[2]


def to_float(image_u8: UInt8[Any, "..."]) -> Float[Any, "..."]:
    """Returns float32 in [-1, 1] from uint8 0..255."""
    return image_u8.astype("float32") / 127.5 - 1.0


def to_uint8(image: Float[Any, "..."]) -> UInt8[Any, "..."]:
    """Returns uint8 0..255 from float in [-1, 1]; values outside are clipped."""
    xp = image.__array_namespace__()
    return xp.rint((xp.clip(image, -1, 1) + 1.0) * 127.5).astype("uint8")
