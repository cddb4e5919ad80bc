"""Loss curves of a training run as a figure.

    python -m benchmarks.loss_curves WORKDIR --output figure.png

One panel a loss term, from the run's metrics.jsonl: every logged value, and the running
mean over a tenth of the run.
"""

import json
import pathlib

import click
import matplotlib
import numpy as np

matplotlib.use("Agg")
from matplotlib import pyplot

from anonygan_jax.models.names import system_of
from anonygan_jax.weights.checkpoint_folder import read_config

PANELS = {  # by what was trained
    "anonygan": (
        "reconstruction",
        "context_matching",
        "appearance",
        "appearance_discriminator",
        "pose",
        "pose_discriminator",
    ),
    "ciagan": ("siamese", "guidance", "adversarial", "critic"),
}


@click.command()
@click.argument("workdir", type=click.Path(path_type=pathlib.Path, exists=True))
@click.option("--output", required=True, type=click.Path(path_type=pathlib.Path))
def main(workdir: pathlib.Path, output: pathlib.Path) -> None:
    """Draws the losses of WORKDIR."""
    lines = (workdir / "metrics.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    panels = PANELS[system_of(read_config(workdir))]
    shape = (2, len(panels) // 2)
    figure, axes = pyplot.subplots(*shape, figsize=(10, 5), sharex=True)
    window = np.ones(max(1, len(rows) // 10))
    for axis, name in zip(axes.flat, panels, strict=True):
        steps, values = np.array([(r["step"], r[name]) for r in rows if name in r]).T
        count = np.convolve(np.ones_like(values), window, mode="same")
        mean = np.convolve(values, window, mode="same") / count
        axis.plot(steps, values, color="0.75", linewidth=0.8)
        axis.plot(steps, mean, color="tab:blue")
        axis.set_title(name.replace("_", " "))
        axis.set_ylim(bottom=0)
    for axis in axes[1]:
        axis.set_xlabel("step")
    figure.tight_layout()
    output.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(output, dpi=100)


if __name__ == "__main__":
    main()
