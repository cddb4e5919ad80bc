"""Addresses of folders and files: of this machine, and of buckets (gs://, s3://)."""

import contextlib
import logging
import pathlib
import re
import sys
from collections.abc import Iterator
from typing import Any, cast

from anonygan_jax.io import extras

logger = logging.getLogger(__name__)

# The package that opens addresses of each kind; all are in the extra "buckets".
CLIENTS = {"gs": "gcsfs", "s3": "s3fs"}
BUCKETS = tuple(f"{scheme}://" for scheme in CLIENTS)
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):/|(gs|s3):")  # one letter: of Windows
# Errors of these packages that are no OSError.
_ERRORS = {
    "gcsfs.retry": ("HttpError", "ChecksumError", "NonRetryableError"),
    "google.auth.exceptions": ("GoogleAuthError",),
    "google.api_core.exceptions": ("GoogleAPIError",),
    "aiohttp": ("ClientError",),
    "botocore.exceptions": ("BotoCoreError", "ClientError"),
}


class PathError(ValueError):
    """An address that cannot be used; the message says what can."""


class BucketError(OSError):
    """A bucket that cannot be read or written; the message has the address."""


def is_bucket(path: str | pathlib.Path) -> bool:
    """Returns whether a path is one of `path_of` in a bucket."""
    return str(path).startswith(BUCKETS)


def is_url(text: str) -> bool:
    """Returns whether a text is an address with a scheme, of a known kind or not."""
    return _URL.match(text) is not None


def path_of(text: str, schemes: tuple[str, ...] = tuple(CLIENTS)) -> pathlib.Path:
    """Returns the path of an address.

    Args:
      text: a folder or a file of this machine, or gs://BUCKET/... or s3://BUCKET/...
      schemes: those that are allowed.

    Returns:
      A pathlib.Path; for a bucket epath's object, which has the same methods. Of it,
      `absolute` and `resolve` must not be used: they give a local folder "gs:".

    Raises:
      PathError: another kind of address.
      MissingPackage: a bucket's package is missing.
    """
    if not is_url(text):
        return pathlib.Path(text)
    scheme, separator, rest = text.partition("://")
    if not separator or scheme not in schemes or not rest or rest.startswith("/"):
        known = " or ".join(["a folder", *(f"{s}://BUCKET/FOLDER" for s in schemes)])
        raise PathError(f"{text}: not an address that can be used here; give {known}")
    extras.require(text, "buckets", CLIENTS[scheme])
    _configure_clients()
    from etils import epath

    return cast(pathlib.Path, epath.Path(text.rstrip("/")))


def local_path(text: str | pathlib.Path) -> pathlib.Path:
    """Returns the path of a file or folder of this machine.

    Raises:
      PathError: it is an address with a scheme.
    """
    if is_url(str(text)):
        raise PathError(f"{text}: only files of this machine; copy or mount it first")
    return pathlib.Path(text)


def absolute(path: pathlib.Path) -> pathlib.Path:
    """Returns the absolute path; that of a bucket is one."""
    return path if is_bucket(path) else path.absolute()


def kvstore(folder: pathlib.Path) -> dict[str, str]:
    """Returns TensorStore's description of a local folder or one in gs://."""
    if not is_bucket(folder):
        return {"driver": "file", "path": f"{folder.absolute()}/"}
    bucket, _, name = str(folder).removeprefix("gs://").partition("/")
    return {"driver": "gcs", "bucket": bucket, "path": f"{name}/"}


def files_in(address: pathlib.Path) -> dict[str, dict[str, Any]]:
    """Returns what a bucket says of each file, by its path below an address.

    That of a file itself is "".

    Raises:
      BucketError: it cannot be read.
    """
    with bucket_errors(address):
        client, root = client_of(address)
        if client.isfile(root):
            return {"": client.info(root)}
        found = client.find(root, detail=True)
    return {
        name.removeprefix(root).lstrip("/"): about
        for name, about in found.items()
        if about["type"] == "file" and not name.endswith("/")
    }


def upload(file: pathlib.Path, path: pathlib.Path) -> None:
    """Writes a local file to a bucket; the file there is replaced in one step.

    Raises:
      BucketError: it cannot be written.
    """
    with bucket_errors(path):
        client, name = client_of(path)
        client.put_file(str(file), name)


def client_of(path: pathlib.Path) -> tuple[Any, str]:
    """Returns fsspec's object for a bucket, and the path in its words."""
    import fsspec

    return fsspec.core.url_to_fs(str(path))


@contextlib.contextmanager
def bucket_errors(path: pathlib.Path) -> Iterator[None]:
    """Context in which errors about a bucket become `BucketError`, in one line."""
    try:
        yield
    except client_errors(OSError) as error:
        raise BucketError(
            f"{path}: the bucket cannot be used ({short(error)})"
        ) from error


@contextlib.contextmanager
def write_warnings() -> Iterator[None]:
    """Context in which `OSError` is a warning: for what a run can do without."""
    try:
        yield
    except OSError as error:
        logger.warning("not written, the run goes on: %s", error)


def client_errors(*others: type[Exception]) -> tuple[type[Exception], ...]:
    """Returns the errors of the buckets' packages that are imported, and others."""
    loaded = {name: sys.modules[name] for name in _ERRORS if name in sys.modules}
    known = (getattr(m, kind) for n, m in loaded.items() for kind in _ERRORS[n])
    return (*others, *known)


def short(error: Exception) -> str:
    """Returns kind and beginning of an error's message, on one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())[:200]}"


def _configure_clients() -> None:
    """No listing is kept: another process may have made it old."""
    import fsspec

    for scheme in CLIENTS:
        fsspec.config.conf.setdefault(scheme, {}).setdefault(
            "use_listings_cache", False
        )
