"""Runs that are killed without warning, or go on elsewhere; minutes, so nightly."""

import json
import pathlib
import random
import signal
import socket
import subprocess
import time

import chex
import pytest
from conftest import ROOT
from tiny_run import STOPPED, finish, start

from anonygan_jax.training.checkpoints import ITEMS
from anonygan_jax.weights import checkpoint_folder, generator_checkpoint

pytestmark = pytest.mark.slow

FIELDS = {"optimiser.num_steps": 24, "run.picture_every_x_steps": 100}


def _start(
    workdir: pathlib.Path,
    num_devices: int = 1,
    flags: tuple[str, ...] = (),
    program: tuple[str, ...] = ("-m", "anonygan_jax.main"),
    **fields,
) -> subprocess.Popen:
    """Trains in a process of its own."""
    environment = {
        "XLA_FLAGS": f"--xla_force_host_platform_device_count={num_devices}",
        "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",
    }
    return start(
        workdir,
        FIELDS | fields,
        flags,
        environment=environment,
        program=program,
    )


def _start_two(
    workdir: pathlib.Path,
    second: tuple[str, ...] = (),
    programs: tuple[tuple[str, ...], ...] = (("-m", "anonygan_jax.main"),) * 2,
    **fields,
) -> list[subprocess.Popen]:
    """Trains in two processes that share the batches; flags of the second alone."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{found.getsockname()[1]}"
    flags = (f"--coordinator_address={address}", "--num_processes=2")
    return [
        _start(
            workdir,
            flags=(*flags, f"--process_id={number}", *own),
            program=programs[number],
            **fields,
        )
        for number, own in enumerate(((), second))
    ]


def _wait_for_lines(workdir: pathlib.Path, count: int, run: subprocess.Popen) -> None:
    """Waits until a run has logged so many steps."""
    metrics = workdir / "metrics.jsonl"
    while not metrics.exists() or metrics.read_text().count("\n") < count:
        assert run.poll() is None, run.communicate()[0][-3000:]
        time.sleep(0.1)


def _last_state(workdir: pathlib.Path) -> dict:
    """Everything in the newest checkpoint, as numpy arrays."""
    step = checkpoint_folder.saved_steps(workdir)[-1]
    folder = (workdir / "checkpoints" / str(step)).absolute()
    return {name: generator_checkpoint.read_arrays(folder / name) for name in ITEMS}


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> pathlib.Path:
    """A run that nothing interrupts."""
    workdir = tmp_path_factory.mktemp("whole")
    finish(_start(workdir))
    return workdir


def test_a_run_killed_at_random_moments_ends_bit_for_bit_the_same(whole, tmp_path):
    rng = random.Random(time.time_ns())
    for _ in range(3):
        process = _start(tmp_path)
        metrics, wanted = tmp_path / "metrics.jsonl", rng.randint(2, 20)
        while process.poll() is None:
            lines = metrics.read_text().count("\n") if metrics.exists() else 0
            if lines >= wanted:
                time.sleep(rng.random() / 2)
                process.send_signal(signal.SIGKILL)
                break
            time.sleep(0.02)
        process.communicate()
    finish(_start(tmp_path))
    chex.assert_trees_all_equal(_last_state(whole), _last_state(tmp_path))
    assert _losses(whole) == _losses(tmp_path)


def _losses(workdir: pathlib.Path) -> list[dict[str, float]]:
    """What was logged, but for speeds."""
    lines = (workdir / "metrics.jsonl").read_text().splitlines()
    return [
        {k: v for k, v in json.loads(line).items() if not k.endswith("_per_second")}
        for line in lines
    ]


def test_a_run_goes_on_with_its_arrays_on_another_mesh(whole, tmp_path):
    finish(_start(tmp_path, optimiser__num_steps=12))
    text = finish(_start(tmp_path, num_devices=8, sharding__num_fsdp=4))
    assert "training from step 12 to 24" in text
    one, other = (
        generator_checkpoint.load_generator(folder)[1]["params"]
        for folder in (whole, tmp_path)
    )
    # Sums in another order; Adam makes rounding of tiny gradients large.
    chex.assert_trees_all_close(one, other, rtol=1e-7, atol=0.02)


def test_a_polite_kill_saves_and_has_an_exit_code_of_its_own(tmp_path):
    process = _start(tmp_path, optimiser__num_steps=100_000)
    _wait_for_lines(tmp_path, 4, process)
    process.send_signal(signal.SIGTERM)
    text = finish(process, STOPPED)
    assert "asked to stop: step" in text
    step = checkpoint_folder.saved_steps(tmp_path)[-1]
    assert f"step {step} is saved" in text


def test_two_processes_train_as_one_and_stop_at_the_same_step(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    finish(_start(one, num_devices=2))
    first, second = _start_two(two)
    _wait_for_lines(two, 4, first)
    second.send_signal(signal.SIGTERM)
    texts = [finish(process, STOPPED) for process in (first, second)]
    step = checkpoint_folder.saved_steps(two)[-1]
    assert 4 <= step < FIELDS["optimiser.num_steps"]
    for text in texts:
        assert f"asked to stop: step {step} is saved" in text
    assert "step 1:" not in texts[1]  # the first process writes
    for process in _start_two(two):
        text = finish(process)
        assert f"training from step {step} to" in text
    assert _losses(one) == _losses(two)
    chex.assert_trees_all_equal(_last_state(one), _last_state(two))
    assert len(list(two.glob("events.*"))) == 2  # of the first process, started twice


@pytest.mark.parametrize("lost", [0, 1])
def test_a_lost_process_ends_the_other_with_a_message(lost, tmp_path):
    processes = _start_two(tmp_path, optimiser__num_steps=100_000)
    _wait_for_lines(tmp_path, 2, processes[0])
    processes[lost].kill()
    text, _ = processes[1 - lost].communicate(timeout=150)
    assert processes[1 - lost].returncode not in (0, STOPPED)
    # JAX's own message comes first where the lost process was the coordinator.
    assert "a process of this run was lost" in text or "another task died" in text
    processes[lost].communicate()


def test_an_error_of_one_process_ends_both_soon(tmp_path):
    missing = f"--config.data.directory={tmp_path}/none"
    first, second = _start_two(tmp_path / "run", (missing,))
    text, _ = second.communicate(timeout=150)
    assert second.returncode == 1
    assert text.splitlines()[-1].startswith("error: ")
    assert "no prepared faces there" in text
    first.communicate(timeout=150)  # JAX's shutdown would wait for 5 minutes
    assert first.returncode not in (0, STOPPED)


def test_a_polite_kill_while_a_run_is_resumed_is_seen(tmp_path):
    for process in _start_two(tmp_path, optimiser__num_steps=2):
        finish(process)
    first, second = _start_two(tmp_path, optimiser__num_steps=100_000)
    for line in second.stdout:
        if "compiling" in line:  # before the first step
            second.send_signal(signal.SIGTERM)
            break
    for process in (first, second):
        assert "asked to stop" in finish(process, STOPPED)


def test_a_process_that_compiles_longer_is_waited_for(tmp_path):
    slow = (str(ROOT / "tests" / "slow_compiling.py"),)
    usual = ("-m", "anonygan_jax.main")
    for process in _start_two(tmp_path, programs=(usual, slow)):
        finish(process)
    assert len(_losses(tmp_path)) == FIELDS["optimiser.num_steps"]
