"""Runs of the training program in processes of their own, with tiny networks."""

import os
import pathlib
import subprocess
import sys
from collections.abc import Mapping

from conftest import ROOT

STOPPED = 75  # exit code of a run that was asked to stop
FIELDS = {
    "model.width": 4,
    "model.num_blocks": 1,
    "model.num_nodes": 4,
    "model.discriminator_width": 4,
    "data.image_size": "(56,48)",
    "data.batch_size": 8,
    "optimiser.decay_from_step": 100,
    "run.log_every_x_steps": 1,
    "run.checkpoint_every_x_steps": 3,
    "run.num_pictures": 2,
}


def start(
    workdir: pathlib.Path | str,
    fields: Mapping[str, object],
    flags: tuple[str, ...] = (),
    folder: pathlib.Path = ROOT,
    environment: Mapping[str, str] | None = None,
    program: tuple[str, ...] = ("-m", "anonygan_jax.main"),
) -> subprocess.Popen:
    """Trains on the composites; `fields` come after `FIELDS`, with __ for a point."""
    named = {name.replace("__", "."): value for name, value in fields.items()}
    command = [
        *(sys.executable, *program),
        *("--config=composites", f"--workdir={workdir}"),
        *(f"--config.{name}={value}" for name, value in (FIELDS | named).items()),
        *flags,
    ]
    return subprocess.Popen(
        command,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | dict(environment or {}),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def finish(process: subprocess.Popen, code: int = 0) -> str:
    """Returns what a run printed that ended with an exit code."""
    text, _ = process.communicate(timeout=500)
    assert process.returncode == code, text[-3000:]
    return text
