"""Scripts that start runs elsewhere, and what is read from programs for TPUs."""

import re
import subprocess
import sys

import jax
import pytest
from conftest import ROOT

from anonygan_jax.training import factory
from configs import faces
from launch import aot_tpu

SCRIPTS = sorted((ROOT / "launch").glob("*.sh"))
COMMANDS = [path for path in SCRIPTS if path.name != "arguments.sh"]  # it is sourced
RUN = ("--config", "configs/celeba.py:paper", "--workdir", "gs://bucket/my run")
PROGRAM = """
ENTRY %main {
  %a = f32[8,16]{1,0:T(8,128)} all-reduce(%x), channel_id=1
  %b = (f32[4]{0}, bf16[2,3]{1,0}) all-reduce-start(%y, %z), channel_id=2
  %c = f32[64]{0} all-gather(%w), dimensions={0}
  %d = f32[8] custom-call(%a), custom_call_target="ConcatBitcast"
  %e = f32[8] fusion(%d), calls=%all-reduce.fused
}
"""


def _dry_run(script: str, *arguments: str) -> str:
    command = ["bash", str(ROOT / "launch" / script), *arguments, "--dry-run"]
    command += ["--", "--config.data.batch_size=512"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_dry_run_prints_what_would_run():
    tpu = _dry_run("tpu_vm.sh", *RUN, "--zone", "z", "--type", "v5p-8", "--spot")
    assert "queued-resources create" in tpu
    assert "--accelerator-type v5p-8" in tpu
    assert "--spot" in tpu
    assert "tensorflow,buckets" in tpu
    gke = _dry_run(
        "gke.sh",
        *RUN,
        *["--cluster", "c", "--type", "t", "--zone", "z", "--image", "i"],
    )
    assert "xpk workload create" in gke
    assert "--max-restarts 100" in gke
    slurm = _dry_run("slurm.sh", *RUN, "--nodes", "2", "--gpus", "8")
    assert "--nodes 2 --ntasks-per-node 8 --gpus-per-node 8" in slurm
    assert "scontrol requeue" in slurm
    for text in (tpu, gke, slurm):
        plain = text.replace("\\", "")
        assert "anonygan_jax.main --distributed --config=configs/celeba.py" in plain
        assert "--config.data.batch_size=512" in plain


@pytest.mark.parametrize("script", ["tpu_vm.sh", "gke.sh", "slurm.sh"])
def test_what_is_missing_or_unknown_is_reported(script):
    command = ["bash", str(ROOT / "launch" / script)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "is needed" in done.stderr
    done = subprocess.run(
        [*command, "--zoo"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "unknown argument --zoo" in done.stderr
    done = subprocess.run(
        [*command, "--config"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "--config needs a value" in done.stderr


@pytest.mark.parametrize("script", COMMANDS, ids=lambda path: path.stem)
def test_help_prints_the_head_of_a_script(script):
    command = ["bash", str(script), "--help"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    head = [x[2:] for x in script.read_text().splitlines()[1:] if x.startswith("# ")]
    assert done.stdout.splitlines()[0] == head[0]
    assert "set -euo" not in done.stdout


def test_scripts_are_clean():
    subprocess.run(["shellcheck", "-x", *map(str, SCRIPTS)], cwd=ROOT, check=True)


def test_collectives_are_counted_and_unknown_seconds_are_not():
    assert aot_tpu.collectives(PROGRAM) == {
        "all-reduce": (2, 8 * 16 * 4 + 4 * 4 + 2 * 3 * 2),
        "all-gather": (1, 64 * 4),
    }
    assert aot_tpu.without_unknown(-358.9076) == pytest.approx(0.0924)
    assert aot_tpu.without_unknown(0.25) == 0.25


def test_a_row_has_the_share_of_the_peak():
    cost = aot_tpu.Cost(2**30, 2**31, 0, 19.7e12, 1e9, 0.2, {"all-reduce": (3, 2**21)})
    row = aot_tpu.line("v5e:2x4", 64, cost)
    assert "| 3.00 of 16 (1.00 + 2.00 + 0.00) |" in row
    assert "| 200.0 | 320 | 50% | 3 all-reduce 2 MiB |" in row


def test_unknown_chips_are_reported(tiny_config):
    with pytest.raises(ValueError, match="wanted one of v4, v5e, v5p, v6e"):
        aot_tpu.compile_step(tiny_config, "v9:2x2", 4)


def test_without_libtpu_there_is_one_line(monkeypatch):
    monkeypatch.setitem(sys.modules, "libtpu", None)
    with pytest.raises(SystemExit, match=r"needs libtpu: pip install .*\[tpu\]'$"):
        aot_tpu.main([])


def test_all_convolutions_of_images_become_products():
    config = faces.get_config("gpu")
    train_step = factory.make_train_step(config)
    batch = aot_tpu.abstract_batch(config, 2)
    key = jax.random.key(0)
    state = jax.eval_shape(train_step.init, key, batch)
    program = str(jax.make_jaxpr(train_step)(state, batch, key))
    ranks = re.findall(r":f32\[([0-9,]+)\][^=]* = conv_general_dilated", program)
    assert {rank.count(",") + 1 for rank in ranks} == {3}  # landmark attention's
