"""Copies of what is in buckets, for readers that need local files."""

import contextlib
import hashlib
import json
import logging
import os
import pathlib
import shutil
import time
from collections.abc import Iterator
from typing import Any

import filelock

from anonygan_jax.io import paths

logger = logging.getLogger(__name__)

MEGABYTE = 10**6
UNUSED_SECONDS = 30 * 24 * 3600.0  # no run is so long without asking for its copy
_PARTIAL = "partial"  # a copy that is being made or removed
# What changes with a file's contents, by the clients that say it.
_VERSIONS = ("md5Hash", "crc32c", "ETag", "etag", "mtime", "created")


def cache_folder() -> pathlib.Path:
    """Returns the folder of all copies; it may be deleted when nothing runs."""
    root = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
    return pathlib.Path(root) / "anonygan_jax" / "fetched"


def fetch(address: str) -> pathlib.Path:
    """Returns a local copy of a file or folder in a bucket; a local path unchanged.

    A copy is used again as long as nothing has changed in the bucket. What has changed
    is another copy, since other processes may read the older one. A copy is removed
    when none has asked for it in `UNUSED_SECONDS`.

    Args:
      address: see `paths.path_of`.

    Raises:
      PathError: nothing is there, or the address cannot be used.
      BucketError: the bucket cannot be read, the disk is full, or the folder of copies
        cannot be written.
    """
    path = paths.path_of(address)
    if not paths.is_bucket(path):
        return path
    files = paths.files_in(path)
    if not files:
        raise paths.PathError(f"{address}: nothing is there")
    folder = cache_folder() / _digest(str(path))
    copy = folder / _digest([(name, _version(x)) for name, x in sorted(files.items())])
    with _cache_errors(path):
        folder.mkdir(parents=True, exist_ok=True)
        _remove_unused(copy)
        with filelock.FileLock(folder / "lock"):
            if not copy.exists():
                partial = _no_partial(folder)
                _download(path, files, partial / path.name)
                partial.rename(copy)
            os.utime(copy)
    return copy / path.name


@contextlib.contextmanager
def _cache_errors(path: pathlib.Path) -> Iterator[None]:
    """Context in which errors of the folder of copies become `BucketError`."""
    try:
        yield
    except paths.BucketError:
        raise
    except OSError as error:
        raise paths.BucketError(
            f"{cache_folder()}: cannot keep a copy of {path} ({paths.short(error)}); "
            "set XDG_CACHE_HOME to a folder that can be written"
        ) from error


def _remove_unused(wanted: pathlib.Path) -> None:
    """Removes copies that are not used, but a wanted one; locked ones another time."""
    for lock in cache_folder().glob("*/lock"):
        try:
            with filelock.FileLock(lock, timeout=0):
                for copy in lock.parent.glob("[!lp]*"):
                    age = time.time() - copy.stat().st_mtime
                    if copy != wanted and age > UNUSED_SECONDS:
                        copy.rename(_no_partial(lock.parent))
                _no_partial(lock.parent)
        except filelock.Timeout:
            continue
        except OSError as error:
            logger.warning("an old copy is left: %s", error)


def _no_partial(folder: pathlib.Path) -> pathlib.Path:
    """The path of a partial copy, free for another; the folder must be locked."""
    partial = folder / _PARTIAL
    if partial.exists():
        shutil.rmtree(partial)
    return partial


def _download(
    path: pathlib.Path, files: dict[str, dict[str, Any]], target: pathlib.Path
) -> None:
    """Copies files; one whose name is "" is the path itself."""
    total = sum(about["size"] for about in files.values())
    free = shutil.disk_usage(cache_folder()).free
    if free < total:
        raise paths.BucketError(
            f"{path}: {total // MEGABYTE} MB, but {cache_folder()} has "
            f"{free // MEGABYTE} free; empty it when nothing runs, mount the bucket or "
            "set XDG_CACHE_HOME"
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
