"""Many photos anonymised by several processes."""

import concurrent.futures
import dataclasses
import multiprocessing
import pathlib

import cv2
import tqdm

from anonygan_jax.anonymise.media import write_photo
from anonygan_jax.anonymise.pipeline import FACE, Anonymiser, NoFaceError
from anonygan_jax.data.ahead import in_order
from anonygan_jax.data.photos import PhotoError, read_photo
from anonygan_jax.methods import EMBEDDED, make_method

NUM_AHEAD_PER_WORKER = 8


@dataclasses.dataclass(frozen=True)
class MethodSpec:
    """A method by name, "warp", or with a checkpoint, "anonygan:DIR"."""

    name: str
    checkpoint: str = EMBEDDED

    @classmethod
    def parse(cls, text: str) -> "MethodSpec":
        """Returns the method that "NAME" or "NAME:CHECKPOINT" stands for."""
        name, _, checkpoint = text.partition(":")
        return cls(name, checkpoint or EMBEDDED)


def anonymise_photos(
    photos: dict[str, pathlib.Path],
    method: MethodSpec,
    output: pathlib.Path,
    num_workers: int,
) -> dict[str, str]:
    """Writes each photo's result as `output`/NAME.png; returns why some have none.

    Every face gets a new face of its own, whoever it is, so that photos are
    independent of each other. Results that are already there are kept.

    Args:
      photos: by name, without suffix.
      method: how faces are hidden.
      output: folder.
      num_workers: processes.

    Raises:
      ValueError: the method is unknown, its checkpoint cannot be used.
      LandmarksUnavailable: dlib is missing.
    """
    _anonymiser(method)  # fails here, clearly, rather than in every worker
    names = [n for n in sorted(photos) if not _result(output, n).exists()]
    context = multiprocessing.get_context("spawn")
    failed = {}
    with concurrent.futures.ProcessPoolExecutor(
        num_workers, context, _start_worker, (method, output)
    ) as pool:
        tasks = ((name, photos[name]) for name in names)
        done = in_order(pool, _work, tasks, NUM_AHEAD_PER_WORKER * num_workers)
        for name, reason in zip(
            names, tqdm.tqdm(done, method.name, len(names), unit="photo"), strict=True
        ):
            if reason:
                failed[name] = reason
    return failed


_worker: tuple[Anonymiser, pathlib.Path] | None = None


def _anonymiser(method: MethodSpec) -> Anonymiser:
    """The method with the package's conditions."""
    return Anonymiser(make_method(method.name, method.checkpoint), consistent=FACE)


def _start_worker(method: MethodSpec, output: pathlib.Path) -> None:
    """Loads the method once per process."""
    global _worker
    cv2.setNumThreads(1)
    _worker = _anonymiser(method), output


def _work(task: tuple[str, pathlib.Path]) -> str | None:
    """One photo in a worker process; why there is no result, or None."""
    assert _worker is not None
    anonymiser, output = _worker
    name, path = task
    try:
        result, _ = anonymiser(read_photo(path), seed=name)
    except (PhotoError, NoFaceError) as error:
        return str(error).removeprefix(f"{path}: ")
    write_photo(_result(output, name), result)
    return None


def _result(output: pathlib.Path, name: str) -> pathlib.Path:
    """Where a result goes."""
    return output / f"{name}.png"
