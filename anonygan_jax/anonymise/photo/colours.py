"""Colour profiles, and colours of other modes as RGB."""

import io

from PIL import Image, ImageCms

_KIND = slice(16, 20)  # of a profile: the colours that it is for
_CMYK = b"CMYK"


def to_rgb(photo: Image.Image) -> Image.Image:
    """Returns a photo of any mode as RGB; CMYK by its profile if it has one."""
    profile = profile_of(photo)
    if photo.mode == "CMYK" and profile and profile[_KIND] == _CMYK:
        try:
            converted = ImageCms.profileToProfile(
                photo,
                ImageCms.ImageCmsProfile(io.BytesIO(profile)),
                ImageCms.createProfile("sRGB"),
                outputMode="RGB",
            )
        except (ImageCms.PyCMSError, OSError):  # a broken profile: as without
            converted = None
        if converted is not None:
            return converted
    return photo.convert("RGB")


def kept_profile(photo: Image.Image) -> bytes | None:
    """Returns the profile of a photo's result; that of CMYK does not fit RGB."""
    profile = profile_of(photo)
    return None if not profile or profile[_KIND] == _CMYK else profile


def profile_of(photo: Image.Image) -> bytes | None:
    """Returns a photo's or a page's colour profile."""
    if hasattr(photo, "tag_v2"):  # `info` is that of all pages that were visited
        return photo.tag_v2.get(34675)
    return photo.info.get("icc_profile")
