"""What a training run has done so far, as text: anonygan train-status WORKDIR."""

import dataclasses
import json
import pathlib
from collections.abc import Sequence

import click
import numpy as np
import sparklines

from anonygan_jax.training.metric_writer import METRICS_FILE
from anonygan_jax.weights import generator_checkpoint
from anonygan_jax.weights.generator_checkpoint import CONFIG_FILE

NUM_BARS = 40
RATE = "pairs_per_second"
Row = dict[str, float]


class NotARunError(ValueError):
    """A folder that holds no run; the message says what it lacks."""


@dataclasses.dataclass(frozen=True)
class TrainingRun:
    """What a workdir says of its run.

    Attributes:
      config: as it was saved.
      rows: lines of metrics.jsonl, in order.
      checkpoints: steps that are saved.
    """

    config: dict
    rows: list[Row]
    checkpoints: list[int]

    @classmethod
    def read(cls, workdir: pathlib.Path) -> "TrainingRun":
        """Returns the run of a folder.

        Raises:
          NotARunError: there is none.
        """
        try:
            config = json.loads((workdir / CONFIG_FILE).read_text())
        except OSError as error:
            raise NotARunError(
                f"{workdir}: no {CONFIG_FILE} there; give the --workdir "
                "of a training run"
            ) from error
        path = workdir / METRICS_FILE
        lines = path.read_text().splitlines(True) if path.exists() else []
        # A line without its end is being written.
        rows = [json.loads(line) for line in lines if line.endswith("\n")]
        return cls(config, rows, generator_checkpoint.saved_steps(workdir))

    def series(self, name: str) -> np.ndarray:
        """Returns the values of a measure, float64 [N]."""
        return np.array([row[name] for row in self.rows if name in row])

    def names(self) -> list[str]:
        """Returns the measures, in the order in which they came up."""
        names = dict.fromkeys(name for row in self.rows for name in row)
        return [name for name in names if name not in ("step", RATE)]


def summary(run: TrainingRun) -> str:
    """Returns a readable text: how far, how fast, and the course of each measure."""
    model, data = run.config["model"], run.config["data"]
    height, width = data["image_size"]
    lines = [
        f"width {model['width']}, {model['num_blocks']} blocks, {height}x{width} "
        f"pixels, {data['batch_size']} pairs a step, from {data['directory']}",
        *_progress(run),
    ]
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
    if not run.rows:
        return ["no step was logged yet"]
    step, num_steps = int(run.rows[-1]["step"]), run.config["optimiser"]["num_steps"]
    batch_size = run.config["data"]["batch_size"]
    line = (
        f"step {step:,} of {num_steps:,} ({step / num_steps:.0%}), "
        f"{step * batch_size:,} pairs seen"
    )
    rates = run.series(RATE)[-20:]
    if len(rates):
        rate = float(np.median(rates))
        hours = (num_steps - step) * batch_size / rate / 3600
        line += f", {rate:.3g} pairs a second lately, {hours:.1f} hours left"
    saved = ", ".join(map(str, run.checkpoints)) or "none yet"
    return [line, f"checkpoints: {saved}"]


def sparkline(values: Sequence[float] | np.ndarray) -> str:
    """Returns one line of bars: means of as many equal parts, the last at the right.

    Values that are not finite are left out.
    """
    finite = np.asarray(values, float)
    finite = finite[np.isfinite(finite)]
    if not len(finite):
        return ""
    parts = np.array_split(finite, min(NUM_BARS, len(finite)))
    return sparklines.sparklines([float(part.mean()) for part in parts])[0]


@click.command("train-status", short_help="How far a training run is.")
@click.argument("workdir", type=click.Path(path_type=pathlib.Path, file_okay=False))
def main(workdir: pathlib.Path) -> None:
    """Tells how far the run in WORKDIR is, how fast, and how its losses went.

    Reads its files only: the run may be going on, or be on another machine.
    """
    try:
        click.echo(summary(TrainingRun.read(workdir)))
    except (NotARunError, json.JSONDecodeError) as error:
        raise click.ClickException(str(error)) from error
