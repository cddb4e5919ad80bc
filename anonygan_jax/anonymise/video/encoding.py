"""How results of videos are encoded, as users choose it."""

import dataclasses

SAME, H264, H265, AV1 = "same", "h264", "h265", "av1"
CODECS = (SAME, H264, H265, AV1)
HIGH, MEDIUM, SMALL = "high", "medium", "small"
QUALITIES = (HIGH, MEDIUM, SMALL)
# Containers that are kept; all others become MP4.
_SUFFIXES = {
    **{".mov": ".mov", ".qt": ".mov", ".mkv": ".mkv", ".mk3d": ".mkv"},
    ".webm": ".webm",
}
# Codecs that they have not.
_LACKING = {".webm": (H264, H265), ".mov": (AV1,)}


@dataclasses.dataclass(frozen=True)
class Encoding:
    """How results of videos are encoded.

    Attributes:
      codec: one of CODECS; SAME: the source's, or if the result cannot have it one that
        most players know.
      quality: one of QUALITIES; HIGH: without a loss that is seen.
      is_hardware: whether a graphics processor encodes.
      is_sdr: whether HDR becomes SDR.
    """

    codec: str = SAME
    quality: str = HIGH
    is_hardware: bool = False
    is_sdr: bool = False


AS_SOURCE = Encoding()


def container_suffix(suffix: str, codec: str) -> str:
    """Returns the suffix of a video's result, by which its container is chosen.

    Args:
      suffix: of the source.
      codec: one of CODECS.
    """
    kept = _SUFFIXES.get(suffix.lower(), ".mp4")
    return ".mp4" if codec in _LACKING.get(kept, ()) else kept
