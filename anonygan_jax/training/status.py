"""Progress of a training run, as text."""

import dataclasses
import json
import pathlib
from collections.abc import Sequence

import numpy as np
import sparklines

from anonygan_jax.models.names import system_of
from anonygan_jax.training import divergence
from anonygan_jax.training.metric_writer import METRICS_FILE, step_of
from anonygan_jax.training.nan_guard import saved_batches
from anonygan_jax.weights import checkpoint_folder

NUM_BARS = 40
RATE = "pairs_per_second"
LogLine = dict[str, float]


@dataclasses.dataclass(frozen=True)
class TrainingRun:
    """Config, metrics and checkpoints of a workdir.

    Attributes:
      config: of the run.
      lines: of metrics.jsonl, in order; values by name.
      checkpoints: steps of the saved checkpoints.
      num_damaged: lines that a crash or a full disk damaged, which are left out.
      skipped: steps whose updates were left out, as their batches say.
    """

    config: dict
    lines: list[LogLine]
    checkpoints: list[int]
    num_damaged: int = 0
    skipped: Sequence[int] = ()

    @classmethod
    def read(cls, workdir: pathlib.Path) -> "TrainingRun":
        """Returns the run of a folder.

        Raises:
          CheckpointError: there is none, or its config is damaged.
        """
        config = checkpoint_folder.read_config(workdir)
        path = workdir / METRICS_FILE
        data = path.read_bytes() if path.exists() else b""
        # After the last line's end the run is writing another one.
        texts = data.decode(errors="replace").splitlines(True)
        texts = [text for text in texts if text.endswith("\n")]
        lines = [json.loads(text) for text in texts if step_of(text) is not None]
        checkpoints = checkpoint_folder.saved_steps(workdir)
        skipped = saved_batches(workdir)
        return cls(config, lines, checkpoints, len(texts) - len(lines), skipped)

    @property
    def num_steps(self) -> int:
        """Steps of the whole run."""
        return int(self.config["optimiser"]["num_steps"])

    @property
    def step(self) -> int:
        """The step logged last; 0 if none was."""
        return int(self.lines[-1]["step"]) if self.lines else 0

    def alerts(self) -> list[str]:
        """Returns the signs of divergence, a sentence each."""
        return divergence.alerts(self.lines, self.skipped)

    def series(self, name: str) -> np.ndarray:
        """Returns the values of a metric in log order, float64 [N]."""
        return np.array([line[name] for line in self.lines if name in line])

    def names(self) -> list[str]:
        """Returns the names of the metrics, in the order of their first values."""
        names = dict.fromkeys(name for line in self.lines for name in line)
        return [name for name in names if name not in ("step", RATE)]


def summary(run: TrainingRun) -> str:
    """Returns a text: settings, progress, speed, and a sparkline of each metric."""
    data = run.config["data"]
    height, width = data["image_size"]
    source = f", from {data['directory']}" if data["directory"] else ""
    lines = [
        f"{system_of(run.config)}, {height}x{width} pixels, "
        f"{data['batch_size']} pairs a step{source}",
        *_progress(run),
        *(f"ALERT: {alert}" for alert in run.alerts()),
    ]
    if run.num_damaged:
        lines.append(f"{METRICS_FILE}: damaged lines, left out: {run.num_damaged}")
    names = run.names()
    longest = max(map(len, names), default=0)
    for name in names:
        values = run.series(name)
        lines.append(
            f"{name:{longest}s}  {values[0]:9.4f} -> {values[-1]:9.4f}  "
            f"{sparkline(values)}"
        )
    return "\n".join(lines)


def _progress(run: TrainingRun) -> list[str]:
    """Steps, pairs, rate, time left, checkpoints."""
    if not run.lines:
        return ["no step was logged yet"]
    step, num_steps = run.step, run.num_steps
    batch_size = run.config["data"]["batch_size"]
    line = (
        f"step {step:,} of {num_steps:,} ({step / num_steps:.0%}), "
        f"{step * batch_size:,} pairs seen"
    )
    rates = run.series(RATE)[-20:]
    if len(rates):
        rate = float(np.median(rates))
        hours = max(num_steps - step, 0) * batch_size / rate / 3600
        line += f", {rate:.3g} pairs a second lately, {hours:.1f} hours left"
    saved = ", ".join(map(str, run.checkpoints)) or "none yet"
    return [line, f"checkpoints: {saved}"]


def sparkline(values: Sequence[float] | np.ndarray) -> str:
    """Returns one line of at most 40 bars: means of equal parts of the values.

    Args:
      values: oldest first; values that are not finite are left out.
    """
    finite = np.asarray(values, float)
    finite = finite[np.isfinite(finite)]
    if not len(finite):
        return ""
    parts = np.array_split(finite, min(NUM_BARS, len(finite)))
    return sparklines.sparklines([float(part.mean()) for part in parts])[0]
