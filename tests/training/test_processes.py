"""Two real processes go on from one checkpoint, or not at all."""

import pathlib
import shutil
import socket
import subprocess
import sys

import jax
import pytest
from conftest import ROOT
from restored_step import STEPS, make_state

from anonygan_jax.training import processes
from anonygan_jax.training.checkpoints import Checkpoints

SCRIPT = ROOT / "tests" / "restored_step.py"


def _restored_by_two(folders: list[pathlib.Path]) -> list[str]:
    """The last line of each process, which restores from a folder of its own."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = str(found.getsockname()[1])
    started = [
        subprocess.Popen(
            [sys.executable, str(SCRIPT), port, str(number), str(folder)],
            env={"PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for number, folder in enumerate(folders)
    ]
    lines = []
    for process in started:
        text, errors = process.communicate(timeout=200)
        assert process.returncode == 0, errors[-3000:]
        lines.append(text.splitlines()[-1])
    return lines


@pytest.fixture
def folders(tmp_path) -> list[pathlib.Path]:
    """The same checkpoints twice, as two machines may see one folder."""
    first, second = tmp_path / "first", tmp_path / "second"
    checkpoints = Checkpoints(first, num_kept=len(STEPS))
    for step in STEPS:
        checkpoints.save(make_state(step))
    checkpoints.close()
    shutil.copytree(first, second)
    return [first, second]


def test_what_one_cannot_read_all_leave_out(folders):
    newest = folders[1] / "checkpoints" / str(STEPS[-1])
    for path in (newest / "training").rglob("*"):
        if path.is_file():
            path.write_bytes(b"")
    assert _restored_by_two(folders) == [f"restored {STEPS[0]}"] * 2


def test_processes_that_see_different_checkpoints_are_refused(folders):
    shutil.rmtree(folders[1] / "checkpoints" / str(STEPS[-1]))
    for line in _restored_by_two(folders):
        assert line.startswith("refused")
        assert "must be one folder that all share" in line


@pytest.mark.parametrize(
    ("text", "count", "expected"),
    [
        ("RESOURCE_EXHAUSTED: 3 GiB", 1, "lower data.batch_size"),
        ("RESOURCE_EXHAUSTED: 3 GiB", 2, "lower data.batch_size"),
        ("UNAVAILABLE: socket closed", 2, "a process of this run was lost"),
        ("INTERNAL: a fault", 1, None),
    ],
)
def test_failed_steps_have_a_reason(text, count, expected, monkeypatch):
    monkeypatch.setattr(jax, "process_count", lambda: count)
    reason = processes.reason_of(jax.errors.JaxRuntimeError(text))
    assert (reason is None) == (expected is None)
    assert (expected or "") in (reason or "")
