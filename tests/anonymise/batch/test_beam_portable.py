"""Beam's portable way, as with Flink or Spark: job service and workers are processes.

Neither cluster can be had from the package index: Beam takes its job servers from
Maven. Beam's own job service in Python takes jobs as theirs do, by gRPC, and asks a
worker pool, as beside each Flink task manager, for worker processes.
"""

import contextlib
import functools
import pathlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from PIL import Image

from anonygan_jax.anonymise.batch import beam
from anonygan_jax.anonymise.batch.pool import processes
from anonygan_jax.anonymise.batch.run import BatchRun
from anonygan_jax.anonymise.settings import Settings
from tests.clips import pictures, write_clip

pytestmark = pytest.mark.slow
ROOT = pathlib.Path(__file__).parents[3]
MAX_START = 120  # seconds


@contextlib.contextmanager
def _process(module: str, *arguments: str, port: int) -> Iterator[None]:
    """A server of Beam that listens at a port, until the block ends."""
    command = [sys.executable, "-m", f"apache_beam.runners.{module}", *arguments]
    process = subprocess.Popen(command, cwd=ROOT)
    try:
        for _ in range(MAX_START):
            with socket.socket() as one:
                if not one.connect_ex(("localhost", port)):
                    break
            assert process.poll() is None
            time.sleep(1)
        yield
    finally:
        process.terminate()
        process.wait()


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("localhost", 0))
        return [one.getsockname()[1] for one in sockets]


@pytest.fixture
def options(tmp_path) -> Iterator[str]:
    """Options of Beam for a job service and a worker pool, which run meanwhile."""
    jobs, workers = _free_ports(2)
    staging = f"--staging_dir={tmp_path / 'staging'}"
    with (
        _process(
            "portability.local_job_service_main",
            f"--port={jobs}",
            staging,
            port=jobs,
        ),
        _process(
            "worker.worker_pool_main",
            f"--service_port={workers}",
            port=workers,
        ),
    ):
        yield (
            f"--runner=PortableRunner --job_endpoint=localhost:{jobs} "
            f"--environment_type=EXTERNAL --environment_config=localhost:{workers}"
        )


def test_results_by_portable_workers_are_those_of_one_machine(
    options, tmp_path, embedded
):
    folder = tmp_path / "in"
    folder.mkdir()
    for number in range(4):
        Image.fromarray(embedded[8 * number].image).save(folder / f"{number}.png")
    for name, numbers in (("a", (0, -1)), ("b", (8, 0))):
        frames = pictures([embedded[number].image for number in numbers], 8)
        write_clip(folder / f"{name}.mp4", frames, audio_codec="aac")
    contents, kinds = [], []
    for name, make in (
        ("here", processes),
        ("beam", functools.partial(beam.pipelines, options=options, output=tmp_path)),
    ):
        out = tmp_path / name
        with BatchRun((str(folder),), out, Settings("warp"), make) as run:
            kinds.append([(result.kind, result.faces) for result in run.results()])
        written = sorted(out.glob("*.*4")) + sorted(out.glob("*.png"))
        contents.append({path.name: path.read_bytes() for path in written})
    assert kinds[0] == kinds[1]
    assert [kind for kind, _ in kinds[0]] == ["replaced"] * 6
    assert contents[0] == contents[1]
    assert len(contents[0]) == 6
