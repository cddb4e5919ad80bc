"""The training step compiles for a TPU that is not here."""

import os
import re
import subprocess
import sys

import pytest
from conftest import ROOT

LIBTPU = ROOT / ".venv" / "libtpu"  # where launch/test.sh puts it
SMALL = {
    "model.width": 4,
    "model.num_blocks": 1,
    "model.num_nodes": 4,
    "model.discriminator_width": 4,
    "data.image_size": "(56,48)",
}


@pytest.mark.slow
@pytest.mark.skipif(not LIBTPU.exists(), reason="bash launch/test.sh installs libtpu")
def test_a_small_topology_compiles_and_prints_its_cost():
    command = [
        *(sys.executable, "-m", "launch.aot_tpu", "--config=configs/composites.py"),
        *("--topology=v5e:2x2", "--per_chip=1"),
        *(f"--config.{name}={value}" for name, value in SMALL.items()),
    ]
    environment = os.environ | {"PYTHONPATH": str(LIBTPU)}
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    row = done.stdout.splitlines()[-1]
    assert row.startswith("| v5e:2x2 | 4 | 0.0"), row
    milliseconds = float(row.split(" | ")[5])
    assert 0 < milliseconds < 100
    assert re.search(r"\d+ all-reduce", row)
