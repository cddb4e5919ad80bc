"""What a photo or video says of itself: none of it is kept unless asked for."""

from PIL import Image
from PIL.ExifTags import GPS, IFD, Base

GPS_GROUP, TIME, CAMERA, AUTHOR = "gps", "time", "camera", "author"
GROUPS = (GPS_GROUP, TIME, CAMERA, AUTHOR)

# Serial numbers, makers' notes, comments and thumbnails, which show the face as it was,
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
    """Returns the groups that "gps,time" names; all of them of "all".

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
    """Returns what a photo's EXIF says of some groups and nothing else.

    Pillow writes only the main part into TIFF files: no place, no time of the shot.
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


def kept_tags(tags: dict[str, str], groups: tuple[str, ...]) -> dict[str, str]:
    """Returns a video's tags of some groups."""
    keys = {key for group in groups for key in _VIDEO_KEYS[group]}
    return {key: value for key, value in tags.items() if key.lower() in keys}
