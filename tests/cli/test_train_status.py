"""What is told of a run, from files written by hand and from a real one."""

import json
import threading
import time

import numpy as np
import prometheus_client.parser
import pytest
from click.testing import CliRunner

from anonygan_jax.cli.main import main
from anonygan_jax.training import divergence
from anonygan_jax.training.optimiser import OptimiserConfig
from anonygan_jax.training.status import NUM_BARS, sparkline
from configs import composites


def _status(workdir, *options):
    return CliRunner().invoke(main, ["train-status", str(workdir), *options])


@pytest.fixture
def run(tmp_path):
    """100 steps of 1,000, 4 pairs each, 8 pairs a second, losses that fall."""
    config = {
        "model": {"width": 16, "num_blocks": 3},
        "data": {"image_size": [112, 92], "batch_size": 4, "directory": "data/lfw"},
        "optimiser": {"num_steps": 1000},
    }
    (tmp_path / "config.json").write_text(json.dumps(config))
    lines = [
        {"step": s, "pose": 1 - s / 100, "pairs_per_second": 8.0}
        for s in range(10, 101, 10)
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (tmp_path / "metrics.jsonl").write_text(text + '{"step": 110, "po')
    for step in (50, 100):
        (tmp_path / "checkpoints" / str(step) / "generator").mkdir(parents=True)
    (tmp_path / "checkpoints" / "damaged_70" / "generator").mkdir(parents=True)
    return tmp_path


def test_steps_rate_and_time_left_are_reported(run):
    result = _status(run)
    assert result.exit_code == 0
    assert "anonygan, 112x92 pixels, 4 pairs a step, from data/lfw" in result.output
    assert "step 100 of 1,000 (10%), 400 pairs seen" in result.output
    assert "8 pairs a second lately, 0.1 hours left" in result.output  # 3600 / 8 s
    assert "checkpoints: 50, 100" in result.output
    assert "pose     0.9000 ->    0.0000  █▇▆▆▅▄▃▃▂▁" in result.output


def test_a_real_run_is_summed_up(tiny_run):
    result = _status(tiny_run)
    assert "step 4 of 4 (100%), 16 pairs seen" in result.output
    assert "checkpoints: 2, 4" in result.output
    assert "reconstruction " in result.output


def test_runs_without_steps_and_other_folders_are_reported(run, tmp_path):
    (run / "metrics.jsonl").unlink()
    assert "no step was logged yet" in _status(run).output
    result = _status(tmp_path / "none")
    assert result.exit_code == 1
    assert "no config.json there; give the --workdir" in result.output


def test_sparklines_are_means_of_equal_parts():
    assert sparkline([1, 1, 2, 2] * 1) == "▁▁██"
    halves = np.repeat([0.0, 1.0], 5 * NUM_BARS)
    assert sparkline(halves) == "▁" * (NUM_BARS // 2) + "█" * (NUM_BARS // 2)
    assert sparkline([np.nan, 1.0, 2.0, np.inf]) == "▁█"
    assert sparkline([]) == ""


def test_damaged_metrics_are_left_out_and_counted(run):
    path = run / "metrics.jsonl"
    whole = path.read_text().splitlines()[:-1]
    damaged = ['{"step": 31, "po', "[3]", '{"pose": 1.0}', "\udcff\udc80"]
    text = "\n".join([*whole[:4], *damaged, *whole[4:]]) + "\n"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    result = _status(run)
    assert result.exit_code == 0
    assert "metrics.jsonl: damaged lines, left out: 4\n" in result.output
    assert "step 100 of 1,000" in result.output
    assert "pose     0.9000 ->    0.0000" in result.output


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"model": {}}'])
def test_a_damaged_config_is_one_line_with_its_path(text, tmp_path):
    (tmp_path / "config.json").write_text(text)
    result = _status(tmp_path)
    assert result.exit_code == 1
    assert result.output.startswith(f"Error: {tmp_path}/config.json: ")
    assert result.output.count("\n") == 1


def test_a_system_with_other_fields_is_summed_up(run):
    config = json.loads((run / "config.json").read_text())
    config |= {"system": "copycat", "model": {"depth": 3}}
    config["data"]["directory"] = None
    (run / "config.json").write_text(json.dumps(config))
    assert "copycat, 112x92 pixels, 4 pairs a step\n" in _status(run).output


def test_a_run_is_followed_to_its_last_step(run):
    def go_on():
        time.sleep(0.5)
        with (run / "metrics.jsonl").open("a") as file:
            file.write('se": 1}\n{"step": 1000, "pose": 0.5}\n')

    thread = threading.Thread(target=go_on)
    thread.start()
    result = _status(run, "--follow", "--interval=0.1")
    thread.join()
    assert result.exit_code == 0
    assert result.output.index("step 100 of") < result.output.index("step 1,000 of")


def test_prometheus_reads_the_newest_figures(run):
    path = run / "run.prom"
    assert _status(run, f"--prometheus={path}").exit_code == 0
    families = prometheus_client.parser.text_string_to_metric_families(path.read_text())
    found = {
        (sample.name, sample.labels.get("metric")): sample.value
        for family in families
        for sample in family.samples
    }
    assert found == {
        ("anonygan_step", None): 100,
        ("anonygan_num_steps", None): 1000,
        ("anonygan_alerts", None): 0,
        ("anonygan_metric", "pose"): 0,
        ("anonygan_metric", "pairs_per_second"): 8,
    }
    result = _status(run, f"--prometheus={run}/none/run.prom")
    assert result.exit_code == 1
    assert "none: no such folder" in result.output


def _lines(values, period=50):
    return [
        {"step": period * n, "pose_discriminator": value, "pose": 0.0}
        for n, value in enumerate(values, 1)
    ]


@pytest.mark.parametrize(
    ("values", "is_alert"),
    [
        ([0.04] * 11, True),  # 500 steps from the first to the last
        ([0.04] * 10, False),
        ([0.04] * 9 + [0.06] + [0.04] * 10, False),
        ([0.6] + [0.01] * 11, True),
        ([0.04] * 11 + [0.6], False),
        ([], False),
    ],
)
def test_a_discriminator_that_has_won_is_an_alert(values, is_alert):
    found = divergence.alerts(_lines(values))
    assert bool(found) == is_alert
    assert all("pose_discriminator has been below 0.05" in text for text in found)


def test_learning_rates_are_no_losses():
    rates = OptimiserConfig(**composites.get_config().optimiser).learning_rates(1)
    assert any(name.endswith("discriminator") for name in rates)
    assert not divergence.alerts([line | rates for line in _lines([0.6] * 12)])


def test_the_summary_has_the_alerts(run):
    text = "".join(json.dumps(line) + "\n" for line in _lines([0.01] * 12))
    (run / "metrics.jsonl").write_text(text)
    assert "ALERT: pose_discriminator has been" in _status(run).output


def test_updates_that_are_left_out_are_an_alert(run):
    path = run / "run.prom"
    (run / "not_finite_97_process_0.npz").touch()  # between two lines
    (run / "not_finite_copy_process_0.npz").touch()  # a person's
    (
        run / "not_finite_5000_process_0.npz"
    ).touch()  # before a resume from an older step
    result = _status(run, f"--prometheus={path}")
    (line,) = (x for x in result.output.splitlines() if x.startswith("ALERT"))
    assert "left out in the last 500 steps: 1, the newest at step 97" in line
    assert 'anonygan_alerts{run="' + run.name + '"} 1.0' in path.read_text()
    with (run / "metrics.jsonl").open("a") as file:
        file.write('se": 1}\n{"step": 120, "pose": NaN, "skipped": 1.0}\n')
    assert "500 steps: 2, the newest at step 120" in _status(run).output
    with (run / "metrics.jsonl").open("a") as file:
        file.write('{"step": 620, "pose": 0.5, "skipped": 0.0}\n')
    assert "ALERT" not in _status(run).output


def test_prometheus_wants_its_suffix_and_file(run, tmp_path):
    result = _status(run, f"--prometheus={tmp_path}/run.txt")
    assert result.exit_code == 1
    assert "run.txt does not end with .prom" in result.output
    (tmp_path / "run.prom").mkdir()
    result = _status(run, f"--prometheus={tmp_path}/run.prom")
    assert result.exit_code == 1
    assert ".anonygan-" not in result.output
    assert f"{tmp_path}/run.prom" in result.output
