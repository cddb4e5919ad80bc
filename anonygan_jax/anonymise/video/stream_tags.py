"""Language, title and purpose of a stream, which are all that is kept of its tags."""

import re
from typing import Any

from av.stream import Disposition

from anonygan_jax.anonymise.video.output_formats import OutputFormat

# Names of tracks that programs and cameras write. Some tell a make or a date.
_BY_PROGRAMS = re.compile(
    r"handler|media|produced|created|gopro|dji|insta360|\.(aac|avc|hevc)\b|\d{4}", re.I
)
_PICTURES = (
    Disposition.attached_pic
    | Disposition.timed_thumbnails
    | Disposition.still_image
    | Disposition.dependent
    | Disposition.multilayer
)
# MOV has the language codes of old Macs, of which these differ from those of others.
_MAC_LANGUAGES = {
    **{"deu": "ger", "nld": "dut", "ell": "gre", "isl": "ice", "zho": "chi"},
    **{"sqi": "alb", "mkd": "mac", "hye": "arm", "kat": "geo", "bod": "tib"},
    **{"mya": "bur", "msa": "may", "cym": "wel", "eus": "baq", "fre": "fra"},
    **{"rum": "ron", "cze": "ces", "slo": "slk"},
}


def kept_stream_tags(stream: Any, output: OutputFormat) -> dict[str, str]:
    """Returns language and title of a stream, as a container has them."""
    tags = {key.lower(): value for key, value in stream.metadata.items()}
    language = tags.get("language", "und")
    if output.name == "mov":
        language = _MAC_LANGUAGES.get(language, language)
    title = tags.get("title") or tags.get("name") or ""
    handler = tags.get("handler_name", "").strip()
    if _BY_PROGRAMS.search(handler):
        handler = ""
    kept = {"title": title or handler}
    if language != "und":
        kept["language"] = language
    if output.name in ("mp4", "mov"):  # some players show the one, some the other
        kept["handler_name"] = handler or title
    return {key: value for key, value in kept.items() if value}


def kept_disposition(stream: Any) -> int:
    """Returns what a stream is for, such as a comment."""
    return int(stream.disposition & ~_PICTURES)
