"""Lists of files: text with one path a line."""

import codecs
import pathlib
import re

_LINE_BREAK = re.compile("\r\n|\n|\r")  # names may have other breaks of Unicode
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class ListError(ValueError):
    """A list that cannot be read; the message names it."""


def read_list(path: pathlib.Path) -> list[str]:
    """Returns the lines that are not empty, without space around.

    Args:
      path: of text in UTF-8, with or without a byte order mark, or UTF-16 with one.

    Raises:
      ListError: it is no such text.
    """
    try:
        content = path.read_bytes()
        coding = "utf-16" if content.startswith(_UTF_16) else "utf-8-sig"
        lines = _LINE_BREAK.split(content.decode(coding))
    except (OSError, ValueError) as error:
        raise ListError(f"{path}: not a list of files ({error})") from error
    if any("\0" in line for line in lines):
        raise ListError(f"{path}: not a list of files (a zero byte)")
    return [line.strip() for line in lines if line.strip()]
