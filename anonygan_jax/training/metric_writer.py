"""Metrics and image grids of a run: metrics.jsonl, PNG files, TensorBoard events."""

import importlib.util
import json
import pathlib
from collections.abc import Mapping
from typing import Any

import ml_collections
import numpy as np
from PIL import Image

METRICS_FILE = "metrics.jsonl"
PICTURES_FOLDER = "pictures"


class MetricWriter:
    """Writes scalars and images of a run into its workdir.

    If TensorFlow is installed, clu writes TensorBoard events, with the config as text.
    """

    def __init__(
        self, workdir: pathlib.Path, first_step: int, config: ml_collections.ConfigDict
    ) -> None:
        """Opens the files.

        Args:
          workdir: of the run.
          first_step: the run is resumed here; later lines of metrics.jsonl are removed.
          config: of the run.
        """
        self._path = workdir / METRICS_FILE
        self._pictures = workdir / PICTURES_FOLDER
        self._pictures.mkdir(exist_ok=True)
        _drop_after(self._path, first_step)
        self._file = self._path.open("a")
        self._writer: Any = None
        if importlib.util.find_spec("tensorflow"):
            from clu import metric_writers

            self._writer = metric_writers.SummaryWriter(str(workdir))
            text = "\n".join(f"    {x}" for x in config.to_json(indent=1).splitlines())
            self._writer.write_texts(first_step, {"config": text})

    def scalars(self, step: int, values: Mapping[str, float]) -> None:
        """Writes one line of numbers."""
        self._file.write(json.dumps({"step": step} | dict(values)) + "\n")
        self._file.flush()
        if self._writer:
            self._writer.write_scalars(step, dict(values))

    def picture(self, step: int, image_u8: np.ndarray) -> None:
        """Writes an image, uint8 [H, W, 3], as pictures/STEP.png."""
        Image.fromarray(image_u8).save(self._pictures / f"{step:08d}.png")
        if self._writer:
            self._writer.write_images(step, {"faces": image_u8[None]})

    def close(self) -> None:
        """Flushes and closes the files."""
        self._file.close()
        if self._writer:
            self._writer.close()


def _drop_after(path: pathlib.Path, step: int) -> None:
    """Removes the lines after a step, and an incomplete last line."""
    if path.exists():
        lines = path.read_text().splitlines(keepends=True)
        kept = [x for x in lines if x.endswith("\n") and json.loads(x)["step"] <= step]
        path.write_text("".join(kept))
