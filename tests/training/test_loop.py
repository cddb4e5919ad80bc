"""The loop: what a run leaves, exact resume, orderly stops."""

import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import sys
import threading

import chex
import jax
import numpy as np
import pytest
import without_extras
from conftest import ROOT
from PIL import Image
from toy_system import ToySystem, train_toys

import anonygan_jax
from anonygan_jax.data.batches import BatchLoader
from anonygan_jax.data.config import DataConfig, PairConfig
from anonygan_jax.io import extras
from anonygan_jax.training import checkpoints, hooks, loop
from anonygan_jax.training.config import RunConfig, save_config
from anonygan_jax.training.device_feed import THREADS
from anonygan_jax.training.nan_guard import NotFiniteError
from anonygan_jax.weights import checkpoint_folder, generator_checkpoint

pytestmark = pytest.mark.usefixtures("compiled_once")


def _steps(config, num_steps):
    """The config with another end, without pictures."""
    config = config.copy_and_resolve_references()
    with config.unlocked():
        config.optimiser.num_steps = num_steps
        config.run.checkpoint_every_x_steps = 2
        config.run.picture_every_x_steps = 0
    return config


@pytest.fixture
def toys(monkeypatch):
    """Runs train a toy."""
    train_toys(monkeypatch, ToySystem())


def test_a_run_leaves_metrics_pictures_and_checkpoints(tiny_run, tiny_config):
    lines = (tiny_run / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [1, 2, 3, 4]
    assert all(np.isfinite(list(json.loads(line).values())).all() for line in lines)
    picture = np.asarray(Image.open(tiny_run / "pictures" / "00000004.png"))
    height, width = tiny_config.data.image_size
    assert picture.shape == (2 * (height + 2) + 2, 5 * (width + 2) + 2, 3)
    assert list(tiny_run.glob("events.out.tfevents.*"))
    config, variables, step = generator_checkpoint.load_generator(tiny_run)
    assert step == 4
    assert config["model"]["width"] == 4
    assert set(variables) == {"params", "batch_stats"}


def test_pictures_show_condition_source_and_composite(tiny_run, tiny_config):
    picture = np.asarray(Image.open(tiny_run / "pictures" / "00000004.png")).astype(int)
    height, width = tiny_config.data.image_size
    cells = [
        picture[2 : 2 + height, 2 + i * (width + 2) :][:, :width] for i in range(5)
    ]
    source, masked, output, composite = cells[1:]
    hidden = (np.abs(masked - 128) <= 1).all(-1) & (np.abs(masked - source) > 2).any(-1)
    assert 0.1 < hidden.mean() < 0.9
    np.testing.assert_array_equal(composite[hidden], output[hidden])
    np.testing.assert_array_equal(composite[0], source[0])


def test_a_killed_run_continues_to_the_same_weights(tiny_config, tmp_path, monkeypatch):
    config = _steps(tiny_config, 5)
    whole = loop.train_and_evaluate(config, tmp_path / "whole")
    iterate_on_devices = loop.iterate_on_devices

    def killed_at_the_third(*arguments):
        for number, batch in enumerate(iterate_on_devices(*arguments)):
            if number == 2:
                os.kill(os.getpid(), signal.SIGTERM)
            yield batch

    monkeypatch.setattr(loop, "iterate_on_devices", killed_at_the_third)
    first = loop.train_and_evaluate(config, tmp_path / "parts")
    assert int(first.step) == 3
    monkeypatch.setattr(loop, "iterate_on_devices", iterate_on_devices)
    second = loop.train_and_evaluate(config, tmp_path / "parts")
    assert int(second.step) == 5
    chex.assert_trees_all_equal(whole, second)
    lines = (tmp_path / "parts" / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == [1, 2, 3, 4, 5]


@pytest.mark.usefixtures("toys")
def test_a_damaged_checkpoint_falls_back_to_the_one_before(
    tiny_config, tmp_path, caplog
):
    whole = loop.train_and_evaluate(_steps(tiny_config, 6), tmp_path / "whole")
    loop.train_and_evaluate(_steps(tiny_config, 4), tmp_path / "parts")
    newest = tmp_path / "parts" / "checkpoints" / "4" / "training"
    for file in sorted(newest.rglob("*")):
        if file.is_file():
            file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    with caplog.at_level("WARNING", "anonygan_jax"):
        again = loop.train_and_evaluate(_steps(tiny_config, 6), tmp_path / "parts")
    assert "checkpoint 4 cannot be read" in caplog.text
    assert "checkpoint 4 is called damaged_4 now" in caplog.text
    chex.assert_trees_all_equal(whole, again)


@pytest.mark.usefixtures("toys")
def test_a_run_without_any_readable_checkpoint_says_so(tiny_config, tmp_path):
    loop.train_and_evaluate(_steps(tiny_config, 2), tmp_path)
    for file in (tmp_path / "checkpoints").rglob("*"):
        if file.is_file():
            file.write_bytes(b"")
    with pytest.raises(
        checkpoint_folder.CheckpointError, match="none of the checkpoints"
    ):
        loop.train_and_evaluate(_steps(tiny_config, 4), tmp_path)
    assert checkpoint_folder.saved_steps(tmp_path) == [2]  # left where it is


def _evaluated(config, num_steps, monkeypatch, measure):
    """The config with another end and a measure of every second state."""

    def evaluation(system, batches, num_faces):
        assert num_faces == config.run.num_evaluated
        return measure

    monkeypatch.setattr(hooks, "OnlineEvaluation", evaluation)
    config = _steps(config, num_steps)
    with config.unlocked():
        config.run.evaluate_every_x_steps = 2
    return config


@pytest.mark.usefixtures("toys")
def test_measures_of_the_averaged_generator_are_logged(
    tiny_config, tmp_path, monkeypatch
):
    config = _evaluated(
        tiny_config,
        5,
        monkeypatch,
        lambda state: {"evaluation/detected": float(state.step)},
    )
    loop.train_and_evaluate(config, tmp_path)
    lines = (tmp_path / "metrics.jsonl").read_text().splitlines()
    rows = [row for row in map(json.loads, lines) if "evaluation/detected" in row]
    assert rows == [{"step": s, "evaluation/detected": float(s)} for s in (2, 4, 5)]


@pytest.mark.usefixtures("toys")
def test_the_best_checkpoint_is_kept_beside_the_newest(
    tiny_config, tmp_path, monkeypatch
):
    moved = {2: 0.3, 4: 0.1, 6: 0.2}
    config = _evaluated(
        tiny_config,
        6,
        monkeypatch,
        lambda state: {"evaluation/pose_l2": moved[int(state.step)]},
    )
    with config.unlocked():
        config.run.num_checkpoints = 1
        config.run.best_by = "evaluation/pose_l2"
    loop.train_and_evaluate(config, tmp_path, profile=(1, 1))
    assert checkpoint_folder.saved_steps(tmp_path) == [4, 6]
    assert list((tmp_path / "profile").rglob("*.xplane.pb"))


def test_what_to_rank_checkpoints_by_must_be_measured(tiny_config):
    fields = tiny_config.run.to_dict()
    with pytest.raises(
        ValueError, match="best_by is 'loss', wanted one of evaluation/"
    ):
        RunConfig(**fields | {"best_by": "loss"})
    with pytest.raises(ValueError, match=r"but run\.evaluate_every_x_steps is 0"):
        RunConfig(**fields | {"best_by": "evaluation/pose_l2"})


@pytest.mark.usefixtures("toys")
def test_a_full_disk_leaves_the_last_good_checkpoint(
    tiny_config, tmp_path, monkeypatch, limited_files
):
    config = _steps(tiny_config, 6)
    save = checkpoints.Checkpoints.save

    with contextlib.ExitStack() as disk, monkeypatch.context() as patch:

        def full_from_the_second(self, state, measures):
            if int(state.step) == 4:
                self._manager.wait_until_finished()
                disk.enter_context(limited_files(4096))
            save(self, state, measures)

        patch.setattr(checkpoints.Checkpoints, "save", full_from_the_second)
        with pytest.raises(
            checkpoint_folder.CheckpointError,
            match=r"cannot be written: .*; step 2 is whole, the same command goes on",
        ):
            loop.train_and_evaluate(config, tmp_path / "parts")
    assert not list((tmp_path / "parts" / "checkpoints").glob("*tmp*"))
    assert int(loop.train_and_evaluate(config, tmp_path / "parts").step) == 6


def test_a_finished_run_is_left_as_it_is(tiny_run, tiny_config, caplog):
    before = (tiny_run / "metrics.jsonl").read_text()
    with caplog.at_level("INFO", "anonygan_jax"):
        state = loop.train_and_evaluate(tiny_config, tiny_run)
    assert int(state.step) == 4
    assert "step 4 is the last one" in caplog.text
    assert (tiny_run / "metrics.jsonl").read_text() == before


def test_lines_after_the_checkpoint_are_written_again(tiny_config, tmp_path):
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 1}\n{"step": 2}\n{"step": 3}\n{"st')
    loop.metric_writer.MetricWriter(tmp_path, 2, tiny_config).close()
    assert path.read_text() == '{"step": 1}\n{"step": 2}\n'


def test_a_resume_on_a_full_disk_keeps_what_was_logged(
    tiny_config, tmp_path, limited_files
):
    """As a kill at that moment."""
    path = tmp_path / "metrics.jsonl"
    path.write_text('{"step": 1}\n{"step": 2}\n')
    with limited_files(4), pytest.raises(OSError, match="File too large"):
        loop.metric_writer.MetricWriter(tmp_path, 2, tiny_config)
    assert path.read_text() == '{"step": 1}\n{"step": 2}\n'


def test_damaged_lines_do_not_end_a_resume(tiny_config, tmp_path, caplog):
    path = tmp_path / "metrics.jsonl"
    damaged = b'{"step": 1, "lo\n{"step": "1"}\n{}\n[1]\n\xff\x00\n\n'
    path.write_bytes(b'{"step": 1}\n' + damaged + b'{"step": 2}\n')
    writer = loop.metric_writer.MetricWriter(tmp_path, 2, tiny_config)
    writer.scalars(3, {})
    writer.close()
    assert path.read_text() == '{"step": 1}\n{"step": 2}\n{"step": 3}\n'
    assert caplog.messages == [f"{path}: damaged lines, left out: 6"]


@pytest.mark.parametrize("package", ["tensorflow", "tensorboard"])
def test_without_tensorboard_there_are_no_events(
    package, tiny_config, tmp_path, monkeypatch
):
    monkeypatch.setitem(sys.modules, package, None)
    writer = loop.metric_writer.MetricWriter(tmp_path, 0, tiny_config)
    writer.scalars(1, {})
    writer.close()
    assert {path.name for path in tmp_path.iterdir()} == {"metrics.jsonl", "pictures"}


def test_what_is_missing_is_said_before_anything_is_compiled(
    tiny_config, tmp_path, monkeypatch, caplog
):
    monkeypatch.setattr(loop.factory, "create_state", None)  # it would compile
    config = tiny_config.copy_and_resolve_references().unlock()
    config.run.init_from = str(tmp_path / "nowhere")
    with (
        caplog.at_level("INFO", "anonygan_jax"),
        pytest.raises(checkpoint_folder.CheckpointError, match="nowhere: no config"),
    ):
        loop.train_and_evaluate(config, tmp_path / "run")
    assert "faces of" in caplog.records[0].getMessage()
    config.run.init_from, config.data.loader = "", "tf_data"
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    needed = r"tf_data.* needs tensorflow: pip install 'anonygan_jax\[tensorflow\]'"
    with pytest.raises(extras.MissingPackage, match=needed):
        loop.train_and_evaluate(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_a_workdir_of_another_model_is_refused(tiny_run, tiny_config):
    config = tiny_config.copy_and_resolve_references()
    with config.unlocked():
        config.model.width = 8
    with pytest.raises(ValueError, match=r"differs in config\.model\.width"):
        loop.train_and_evaluate(config, tiny_run)


def test_a_run_of_an_older_version_goes_on(tiny_config, tmp_path):
    save_config(tiny_config, tmp_path)
    path = tmp_path / "config.json"
    before = json.loads(path.read_text())
    for section, name in (("model", "compute_dtype"), ("data", "zoom")):
        del before[section][name]
    before["model"]["use_context"] = before["model"].pop("use_masked_source")
    path.write_text(json.dumps(before))
    save_config(tiny_config, tmp_path)
    assert json.loads(path.read_text())["model"]["compute_dtype"] == "float32"
    path.write_text(json.dumps(before))
    config = tiny_config.copy_and_resolve_references()
    with config.unlocked():
        config.model.compute_dtype = "bfloat16"
    with pytest.raises(ValueError, match=r"differs in config\.model\.compute_dtype"):
        save_config(config, tmp_path)
    before["model"]["use_context"] = False
    path.write_text(json.dumps(before))
    with pytest.raises(ValueError, match=r"config\.model\.use_masked_source"):
        save_config(tiny_config, tmp_path)


@pytest.mark.parametrize("where", ["lost_steps", "broken_steps"])
def test_an_update_that_is_not_finite_is_left_out(
    where, tiny_config, tmp_path, monkeypatch, caplog
):
    """Also at the step of a checkpoint, with losses that are finite."""
    with monkeypatch.context() as patch:
        train_toys(patch, ToySystem())
        before = loop.train_and_evaluate(_steps(tiny_config, 3), tmp_path / "before")
    train_toys(monkeypatch, ToySystem(**{where: [4]}))
    with caplog.at_level("WARNING", "anonygan_jax"):
        after = loop.train_and_evaluate(_steps(tiny_config, 4), tmp_path / "after")
    expected = dataclasses.replace(before, step=after.step)
    chex.assert_trees_all_equal(after, expected)
    assert int(after.step) == 4
    assert "step 4: " in caplog.text
    name = {"lost_steps": "pose", "broken_steps": "gradient_norm"}[where]
    assert f"{name} not finite" in caplog.text
    variables = generator_checkpoint.load_generator(tmp_path / "after")[1]
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(variables))


def test_many_updates_that_are_not_finite_stop_the_run(
    tiny_config, tmp_path, monkeypatch
):
    config = _steps(tiny_config, 6)
    with config.unlocked():
        config.run.max_skipped_steps = 1
    train_toys(monkeypatch, ToySystem(lost_steps=[3, 5]))
    with pytest.raises(NotFiniteError, match="step 5: pose not finite; its batch is"):
        loop.train_and_evaluate(config, tmp_path)
    assert len(list(tmp_path.glob("not_finite_*.npz"))) == 2
    (path,) = tmp_path.glob("not_finite_3_*.npz")
    data, pairs = DataConfig(**config.data), PairConfig(**config.pairs)
    expected = BatchLoader(data, pairs).batch(2)
    with np.load(path) as saved:
        np.testing.assert_array_equal(saved["source"], expected.source)
        assert np.isnan(saved["loss/pose"])
        assert np.isfinite(saved["loss/appearance"])


def _main(*arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "anonygan_jax.main", *arguments]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False
    )


def test_an_evaluation_without_its_packages_is_refused_in_one_line(tmp_path):
    arguments = ("--config=configs/celeba.py:tiny", f"--workdir={tmp_path}/w")
    code, screen = without_extras.run(
        "anonygan_jax.main", *arguments, "--mode=evaluate"
    )
    assert code == 1
    (line,) = screen.splitlines()
    assert line.startswith("error: No module named ")
    assert line.endswith(": pip install 'anonygan_jax[evaluation]'")


def test_entry_point_says_what_is_wrong(tmp_path):
    missing = f"--config.data.directory={tmp_path}/none"
    result = _main(
        "--config=configs/celeba.py:tiny", missing, f"--workdir={tmp_path}/w"
    )
    assert result.returncode == 1
    assert "error:" in result.stderr
    assert "no prepared faces there" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            ["--config=configs/composites.py", "--config.model.widht=3"],
            """no field 'widht'; Did you mean "width" instead of "widht"?""",
        ),
        (["--config=composites", "--config.modl.width=3"], "no field 'modl'"),
        (["--config=composites:small"], "--config: it has no variants"),
        (["--config=tests/wrong_config.py"], "KeyError: 'NONE_IS_CALLED_SO'"),
        (["--config=composites", "--config.run.log_every_x_steps=0"], "at least 1"),
        (["--config=composites", "more"], "unexpected argument 'more'"),
        (["--config=composites", "--workdir=setup.py/x"], "x cannot be written to"),
        (
            ["--config=configs/faces.py", "--config.data.prior_workers=2"],
            "called config.data.num_workers now",
        ),
        (["--config=configs/nosuch.py"], "names no file"),
        (["--config=configs/celeba.py:nosuch"], "unknown variant 'nosuch': paper,"),
        (["--config=configs/composites.py", "--config.model.width=a"], "literal for"),
        (["--config=configs/composites.py", "--workdir=setup.py"], "setup.py"),
    ],
)
def test_a_wrong_flag_is_one_line(arguments, expected, tmp_path):
    result = _main(f"--workdir={tmp_path}", *arguments)
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1].startswith("error: ")
    assert expected in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr


def test_entry_point_prints_its_version():
    assert _main("--version").stdout == f"anonygan_jax {anonygan_jax.__version__}\n"


def test_a_run_begins_with_another_runs_generator(tiny_config, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        train_toys(patch, ToySystem())
        loop.train_and_evaluate(_steps(tiny_config, 2), tmp_path / "first")
    train_toys(monkeypatch, ToySystem(learns=False))
    config = _steps(tiny_config, 1).unlock()
    config.run.init_from = str(tmp_path / "first")
    state = loop.train_and_evaluate(config, tmp_path / "run")
    _, variables, _ = generator_checkpoint.load_generator(tmp_path / "first")
    chex.assert_trees_all_equal(state.params["generator"], variables["params"])
    chex.assert_trees_all_close(
        state.ema_params, variables["params"], rtol=1e-5, atol=1e-7
    )
    went_on = jax.tree.map(lambda x: x + 1, variables["batch_stats"])
    chex.assert_trees_all_equal(state.batch_stats["generator"], went_on)
    config.run.init_from = "nowhere"  # nobody asks while there is a checkpoint
    config.optimiser.num_steps = 2
    loop.train_and_evaluate(config, tmp_path / "run")
    with pytest.raises(checkpoint_folder.CheckpointError, match="nowhere"):
        loop.train_and_evaluate(config, tmp_path / "other")
    config.run.init_from = "embedded"
    with pytest.raises(checkpoint_folder.CheckpointError, match="embedded differs"):
        loop.train_and_evaluate(config, tmp_path / "third")


def test_the_threads_that_make_batches_end_when_a_step_fails(
    tiny_config, tmp_path, monkeypatch
):
    def fails(self, update, state, batches):
        next(batches)
        raise OSError("full")

    monkeypatch.setattr(loop.Loop, "__call__", fails)
    with pytest.raises(OSError, match="full") as kept:  # its traceback keeps the feed
        loop.train_and_evaluate(tiny_config, tmp_path)
    assert kept.value
    assert not any(t.name.startswith(THREADS) for t in threading.enumerate())
