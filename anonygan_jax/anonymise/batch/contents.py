"""Contents of files, by which it is known whether a result is still right."""

import dataclasses
import hashlib
import json
import os
import pathlib
from typing import Any

import anonygan_jax
from anonygan_jax.anonymise.conditions.selector import AUTO_CONDITION
from anonygan_jax.anonymise.settings import Settings
from anonygan_jax.composites.bank import embedded_bank
from anonygan_jax.io.fetch import fetch
from anonygan_jax.io.photos import PhotoError
from anonygan_jax.methods import TRAINED
from anonygan_jax.weights.checkpoint_folder import (
    EMBEDDED_CHECKPOINT,
    ONNX_FILE,
    checkpoint_path,
    read_config,
)

WHOLE_BYTES = 256 << 20  # larger files: the first and last part, and the time of change
PART_BYTES = 1 << 20
NO_FILE = "no file"  # a folder, a link, a pipe
UNREADABLE = "unreadable"  # it may be any file
# Settings that name files: their contents count, whatever the files are called.
_PATHS = ("checkpoint", "condition", "keep", "only")


def fingerprint_of(path: pathlib.Path) -> str:
    """Returns what changes with a file's contents: its size and a SHA-256.

    Of more than `WHOLE_BYTES`, the hash is of the time of change and of the first and
    last `PART_BYTES`.

    Raises:
      PhotoError: the file cannot be read.
    """
    try:
        with path.open("rb") as file:
            about = os.fstat(file.fileno())
            if about.st_size <= WHOLE_BYTES:
                digest = hashlib.file_digest(file, "sha256")
            else:
                digest = hashlib.sha256(f"{about.st_mtime_ns}".encode())
                digest.update(file.read(PART_BYTES))
                file.seek(-PART_BYTES, os.SEEK_END)
                digest.update(file.read())
    except FileNotFoundError as error:
        raise PhotoError(f"{path}: no such file") from error
    except OSError as error:
        raise PhotoError(f"{path}: cannot be read ({error.strerror})") from error
    return f"{about.st_size} {digest.hexdigest()}"


def lying_fingerprint(path: pathlib.Path) -> str:
    """Returns the fingerprint of a file, or what no file of ours has for one.

    "" if there is none, `NO_FILE` or `UNREADABLE`.
    """
    if not os.path.lexists(path):
        return ""
    try:
        is_file = path.is_file() and not path.is_symlink()
        return fingerprint_of(path) if is_file else NO_FILE
    except (PhotoError, OSError):  # the caller says so
        return UNREADABLE


@dataclasses.dataclass(frozen=True)
class About:
    """What results depend on, besides the files.

    Attributes:
      version: of anonygan_jax.
      settings: as they were given.
      contents: fingerprints of the files that settings name.
    """

    version: str
    settings: dict[str, Any]
    contents: dict[str, Any]

    @classmethod
    def of(cls, settings: Settings, boxes: pathlib.Path | None = None) -> "About":
        """Returns what the results of a run depend on.

        Args:
          boxes: table of faces found by other means.

        Raises:
          CheckpointError: the checkpoint cannot be used.
          PhotoError: a file cannot be read.
        """
        contents: dict[str, Any] = {
            "condition": _condition(settings.condition),
            "keep": sorted(fingerprint_of(pathlib.Path(p)) for p in settings.keep),
            "only": sorted(fingerprint_of(pathlib.Path(p)) for p in settings.only),
            "boxes": fingerprint_of(boxes) if boxes else None,
        }
        if settings.method in TRAINED:
            contents["checkpoint"] = _checkpoint(settings.checkpoint)
        fields = {
            **dataclasses.asdict(settings),
            "boxes": str(boxes) if boxes else None,
        }
        return cls(anonygan_jax.__version__, json.loads(json.dumps(fields)), contents)

    @property
    def key(self) -> str:
        """A short name; runs of one name give the same results of the same files."""
        settings = {k: v for k, v in self.settings.items() if k not in _PATHS}
        settings.pop("boxes")
        text = json.dumps([self.version, settings, self.contents], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]


def _condition(condition: str) -> Any:
    """Fingerprints of a bank's files or of photos; the text if it names none."""
    folder = embedded_bank() if condition == AUTO_CONDITION else pathlib.Path(condition)
    if folder.is_file():
        return {folder.name: fingerprint_of(folder)}
    if not folder.is_dir():
        return condition
    return _folder(folder)


def _checkpoint(checkpoint: str) -> str:
    """A hash of a generator's config and weights, wherever they are kept."""
    if checkpoint == EMBEDDED_CHECKPOINT:  # its files do not change; 0.2 s faster
        return _folder(checkpoint_path(checkpoint))
    folder = checkpoint_path(checkpoint)
    if (folder / ONNX_FILE).exists():
        config = read_config(folder)
        weights = fingerprint_of(fetch(str(folder / ONNX_FILE)))
    else:  # JAX takes a second to import
        from anonygan_jax.weights import export, generator_checkpoint

        config, variables, step = generator_checkpoint.load_generator(folder)
        weights = f"{step} {export.checksum(variables)}"
    text = json.dumps([config, weights], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _folder(folder: pathlib.Path) -> str:
    """A hash of the names and contents of a folder's files."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    text = "\n".join(f"{p.relative_to(folder)} {fingerprint_of(p)}" for p in files)
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
