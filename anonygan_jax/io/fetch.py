"""Copies of what is in buckets, for readers that need local files."""

import hashlib
import json
import logging
import os
import pathlib
import shutil
from collections.abc import Callable
from typing import Any

import filelock

from anonygan_jax.io import paths

logger = logging.getLogger(__name__)

MEGABYTE = 10**6
# What changes with a file's contents, by the clients that say it.
_VERSIONS = ("md5Hash", "crc32c", "ETag", "etag", "mtime", "created")


def cache_folder() -> pathlib.Path:
    """Returns the folder of all copies; it may be deleted when nothing runs."""
    root = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(root) / "anonygan_jax" / "fetched"


def fetch(
    address: str, wanted: Callable[[str], bool] = lambda name: True
) -> pathlib.Path:
    """Returns a local copy of a file or folder in a bucket; a local path unchanged.

    A copy is used again as long as nothing has changed in the bucket; one of an older
    state is removed. Several processes may ask for the same.

    Args:
      address: see `paths.path_of`.
      wanted: of a folder, which files are copied, by their path below it.

    Raises:
      PathError: nothing is there, or the address cannot be used.
      BucketError: the bucket cannot be read, or the disk is full.
    """
    path = paths.path_of(address)
    if not paths.is_bucket(path):
        return path
    files = {name: x for name, x in paths.files_in(path).items() if wanted(name)}
    if not files:
        raise paths.PathError(f"{address}: nothing is there")
    folder = cache_folder() / _digest(str(path))
    copy = folder / _digest([(name, _version(x)) for name, x in sorted(files.items())])
    folder.mkdir(parents=True, exist_ok=True)
    with filelock.FileLock(folder / "lock"):
        if not copy.exists():
            for old in folder.glob("[!l]*"):
                shutil.rmtree(old)
            partial = folder / "partial"
            _download(path, files, partial / path.name)
            partial.rename(copy)
    return copy / path.name


def _download(
    path: pathlib.Path, files: dict[str, dict[str, Any]], target: pathlib.Path
) -> None:
    """Copies files; one whose name is "" is the path itself."""
    total = sum(about["size"] for about in files.values())
    free = shutil.disk_usage(cache_folder()).free
    if free < total:
        raise paths.BucketError(
            f"{path}: {total // MEGABYTE} MB, but {cache_folder()} has "
            f"{free // MEGABYTE} free; mount the bucket or set XDG_CACHE_HOME"
        )
    logger.info("%s: fetching %d MB to %s", path, total // MEGABYTE, target)
    copies = [target / name if name else target for name in files]
    for copy in copies:
        copy.parent.mkdir(parents=True, exist_ok=True)
    with paths.bucket_errors(path):
        client, _ = paths.client_of(path)
        client.get([about["name"] for about in files.values()], [*map(str, copies)])
    for copy, about in zip(copies, files.values(), strict=True):
        if not copy.exists() or copy.stat().st_size != about["size"]:
            raise paths.BucketError(f"{path}: {copy.name} changed while it was read")


def _version(about: dict[str, Any]) -> list[str]:
    """What identifies the contents of a file."""
    return [str(about["size"]), *(str(about[k]) for k in _VERSIONS if k in about)]


def _digest(value: Any) -> str:
    """A short name; no other value has it, and it does not begin with l or p."""
    return hashlib.sha256(json.dumps(value).encode()).hexdigest()[:16]
