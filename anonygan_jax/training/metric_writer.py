"""Metrics and image grids of a run: metrics.jsonl, PNG files, TensorBoard events."""

import json
import logging
import pathlib
from collections.abc import Mapping
from typing import Any

import ml_collections
import numpy as np
from PIL import Image

from anonygan_jax.io import extras
from anonygan_jax.io.atomic_write import atomic_write, named
from anonygan_jax.io.paths import write_warnings
from anonygan_jax.io.staged_folder import StagedFolder

logger = logging.getLogger(__name__)

METRICS_FILE = "metrics.jsonl"
PICTURES_FOLDER = "pictures"


class MetricWriter:
    """Writes scalars and images of a run into its workdir.

    If TensorFlow and TensorBoard are installed, clu writes TensorBoard events, with the
    config as text. Nothing can be appended to a file in a bucket: files for one are
    written on this machine, and uploaded whole.
    """

    def __init__(
        self, workdir: pathlib.Path, first_step: int, config: ml_collections.ConfigDict
    ) -> None:
        """Opens the files.

        Args:
          workdir: of the run.
          first_step: the run is resumed here; later lines of metrics.jsonl are removed,
            and damaged ones, with a warning.
          config: of the run.
        """
        self._folder = StagedFolder(workdir)
        self._pictures = self._folder.path / PICTURES_FOLDER
        self._pictures.mkdir(exist_ok=True)
        kept = _lines_until(workdir / METRICS_FILE, first_step)
        with atomic_write(self._folder.path / METRICS_FILE) as partial:
            partial.write_bytes(kept.encode())
        self._file = (self._folder.path / METRICS_FILE).open("a")
        self._writer: Any = None
        if extras.are_installed("tensorflow", "tensorboard"):
            from clu import metric_writers

            self._writer = metric_writers.SummaryWriter(str(self._folder.path))
            text = "\n".join(f"    {x}" for x in config.to_json(indent=1).splitlines())
            self._writer.write_texts(first_step, {"config": text})

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Writes one line of numbers."""
        try:
            self._file.write(json.dumps({"step": step} | dict(values)) + "\n")
            self._file.flush()
        except OSError as error:
            raise named(error, self._folder.path / METRICS_FILE) from error
        if self._writer:
            self._writer.write_scalars(step, dict(values))
        self._publish(METRICS_FILE)

    def picture(self, step: int, image_u8: np.ndarray) -> None:
        """Writes an image, uint8 [H, W, 3], as pictures/STEP.png."""
        Image.fromarray(image_u8).save(self._pictures / f"{step:08d}.png")
        if self._writer:
            self._writer.write_images(step, {"faces": image_u8[None]})
            self._writer.flush()
        self._publish()

    def close(self) -> None:
        """Flushes and closes the files."""
        self._file.close()
        if self._writer:
            self._writer.close()
        self._publish()
        self._folder.close()

    def _publish(self, pattern: str = "**/*") -> None:
        """Uploads what has changed, for a bucket."""
        with write_warnings():  # the file is whole the next time
            self._folder.publish(pattern)


def _lines_until(path: pathlib.Path, step: int) -> str:
    """The lines until a step, without those that a crash has cut."""
    if not path.exists():
        return ""
    lines = path.read_bytes().decode(errors="replace").splitlines(keepends=True)
    steps = [step_of(line) for line in lines]
    if None in steps:
        logger.warning("%s: damaged lines, left out: %d", path, steps.count(None))
    pairs = zip(lines, steps, strict=True)
    return "".join(line for line, x in pairs if x is not None and x <= step)


def step_of(line: str) -> int | None:
    """Returns the step of a line of metrics; None if it is damaged."""
    try:
        step = json.loads(line)["step"]
    except (ValueError, KeyError, TypeError):
        return None
    return step if isinstance(step, int) and line.endswith("\n") else None
