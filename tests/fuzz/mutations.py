"""Damaged versions of valid files: bytes, sizes, parts, words, members of archives."""

import io
import re
import zipfile

import numpy as np

SIZES = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 2**31 - 1, 2**31, 2**32 - 1, 2**63)
WORDS = (
    *(
        b"nan",
        b"NaN",
        b"inf",
        b"-Infinity",
        b"1e999",
        b"-1",
        b"0",
        b"1e-320",
        b"9" * 400,
    ),
    *(
        b"",
        b"null",
        b"true",
        b"[]",
        b"{}",
        b'"',
        b"\\ud800",
        b"../../x",
        b"\xff",
        b"\0",
    ),
    *(b"[" * 5000, b'{"a":' * 3000, b"," * 300, b"\n"),
)


def damaged(rng: np.random.Generator, seeds: list[bytes]) -> bytes:
    """Returns one of some valid files, damaged in one to four ways."""
    content = seeds[rng.integers(len(seeds))]
    if zipfile.is_zipfile(io.BytesIO(content)) and rng.random() < 0.8:
        return _with_damaged_member(rng, content)
    for _ in range(rng.integers(1, 5)):
        content = _once(rng, content, seeds[rng.integers(len(seeds))])
    return content


def _with_damaged_member(rng: np.random.Generator, content: bytes) -> bytes:
    """An archive, right but for the content or the name of one member."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [(name, archive.read(name)) for name in archive.namelist()]
    place = rng.integers(len(members))
    name, member = members[place]
    other = members[rng.integers(len(members))][1]
    if rng.random() < 0.1:
        name = str(rng.choice(["../x", "/x", name + "x", "x" * 300]))
    for _ in range(rng.integers(1, 4)):
        member = _once(rng, member, other)
    members[place] = (name, member)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, member in members:
            archive.writestr(name, member)
    return packed.getvalue()


def _once(rng: np.random.Generator, content: bytes, other: bytes) -> bytes:
    """Content with one damage; most are near the start, where the headers are."""
    if not content:
        return other
    reach = len(content) if rng.random() < 0.5 else min(len(content), 400)
    start = int(rng.integers(reach))
    end = start + int(rng.integers(1, 1 + rng.choice([1, 8, 64, 4096])))
    kind = rng.integers(8)
    if kind == 0:  # bits
        damaged = bytearray(content)
        for place in rng.integers(reach, size=rng.integers(1, 9)):
            damaged[place] ^= 1 << int(rng.integers(8))
        return bytes(damaged)
    if kind == 1:
        return content[:start] + rng.bytes(end - start) + content[end:]
    if kind == 2:  # an integer
        width = int(rng.choice([1, 2, 4, 8]))
        size = int(rng.choice(SIZES)) % 2 ** (8 * width)
        order = "little" if rng.random() < 0.5 else "big"
        return content[:start] + size.to_bytes(width, order) + content[start + width :]
    if kind == 3:
        return content[:start]
    if kind == 4:
        return content[:start] + content[end:]
    if kind == 5:
        return content[:end] + content[start:end] + content[end:]
    if kind == 6:
        return content[:start] + other[int(rng.integers(1 + len(other))) :]
    return _with_other_word(rng, content, start)


def _with_other_word(rng: np.random.Generator, content: bytes, start: int) -> bytes:
    """Content whose next number or name is another one."""
    word = WORDS[rng.integers(len(WORDS))]
    found = re.compile(rb'-?[\w.]+|"[^"]*"').search(content, start)
    if found is None:
        return content[:start] + word + content[start:]
    return content[: found.start()] + word + content[found.end() :]
