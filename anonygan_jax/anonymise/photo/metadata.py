"""Metadata of photos and videos: none is kept unless the user asks for it.

Orientation, density and colour profile belong to the picture: they are always kept.
"""

import numbers

from PIL import Image
from PIL.ExifTags import GPS, IFD, Base

GPS_GROUP, TIME, CAMERA, AUTHOR = "gps", "time", "camera", "author"
GROUPS = (GPS_GROUP, TIME, CAMERA, AUTHOR)

# Serial numbers, makers' notes, comments and thumbnails (which show the source's face)
# are in no group.
_PHOTO_TAGS = {
    TIME: (
        *(Base.DateTime, Base.DateTimeOriginal, Base.DateTimeDigitized),
        *(Base.OffsetTime, Base.OffsetTimeOriginal, Base.OffsetTimeDigitized),
        *(Base.SubsecTime, Base.SubsecTimeOriginal, Base.SubsecTimeDigitized),
    ),
    CAMERA: (
        *(Base.Make, Base.Model, Base.Software, Base.LensMake, Base.LensModel),
        *(Base.ExposureTime, Base.FNumber, Base.ISOSpeedRatings, Base.FocalLength),
        *(Base.FocalLengthIn35mmFilm, Base.Flash, Base.WhiteBalance),
    ),
    AUTHOR: (Base.Artist, Base.Copyright, Base.ImageDescription),
}
_DENSITY = (Base.XResolution, Base.YResolution, Base.ResolutionUnit)
_CENTIMETRE = 3  # a unit
_DENSEST = 65535  # what JPEG can have
_VIDEO_KEYS = {
    GPS_GROUP: ("location", "com.apple.quicktime.location.iso6709"),
    TIME: ("creation_time", "date", "com.apple.quicktime.creationdate"),
    CAMERA: (
        *("make", "model", "com.apple.quicktime.make", "com.apple.quicktime.model"),
        *("com.android.manufacturer", "com.android.model"),
    ),
    AUTHOR: ("artist", "author", "copyright", "title", "comment", "description"),
}


class MetadataError(ValueError):
    """A group of metadata that does not exist."""


def parse_groups(text: str) -> tuple[str, ...]:
    """Returns the groups of a text such as "gps,time", or all groups for "all".

    Raises:
      MetadataError: there is no such group.
    """
    if text == "all":
        return GROUPS
    groups = tuple(part.strip() for part in text.split(",") if part.strip())
    unknown = set(groups) - set(GROUPS)
    if unknown:
        raise MetadataError(
            f"unknown group of metadata {', '.join(sorted(unknown))}; there are "
            f"{', '.join(GROUPS)} and all"
        )
    return groups


def kept_exif(exif: Image.Exif, groups: tuple[str, ...]) -> Image.Exif:
    """Returns only the EXIF tags of some groups.

    Into TIFF files Pillow writes only the main part: neither place nor time of capture.
    """
    kept = Image.Exif()
    details = exif.get_ifd(IFD.Exif)
    for group in groups:
        for tag in _PHOTO_TAGS.get(group, ()):
            if tag in exif:
                kept[tag] = exif[tag]
            if tag in details:
                kept.get_ifd(IFD.Exif)[tag] = details[tag]
    if GPS_GROUP in groups:
        places = exif.get_ifd(IFD.GPSInfo)
        kept.get_ifd(IFD.GPSInfo).update(
            {
                tag: value
                for tag, value in places.items()
                if tag in GPS.__members__.values()
            }
        )
    return kept


def pixels_per_inch(photo: Image.Image) -> tuple[float, float] | None:
    """Returns the density of a photo or page, across and down; None if it has none."""
    exif = photo.getexif()
    across, down, unit = (exif.get(tag) for tag in _DENSITY)
    density: tuple[object, ...] = (across, down)
    if photo.format != "TIFF" and "dpi" in photo.info:  # a TIFF's is of other pages
        density = tuple(photo.info["dpi"])
    elif unit not in (None, 2, _CENTIMETRE):
        return None
    factor = 2.54 if unit == _CENTIMETRE and "dpi" not in photo.info else 1.0
    if not all(isinstance(value, numbers.Real) for value in density):
        return None
    found = tuple(float(value) * factor for value in density)  # type: ignore[arg-type]
    return (found[0], found[1]) if all(0 < v < _DENSEST for v in found) else None


def kept_tags(tags: dict[str, str], groups: tuple[str, ...]) -> dict[str, str]:
    """Returns only the tags of a video that are in some groups."""
    keys = {key for group in groups for key in _VIDEO_KEYS[group]}
    return {key: value for key, value in tags.items() if key.lower() in keys}
