"""Batches that Grain's processes make are those of memory; no process is left over."""

import multiprocessing
import multiprocessing.process
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterable

import chex
import numpy as np
import pytest
from alive import is_alive
from array_record.python.array_record_module import ArrayRecordReader, ArrayRecordWriter
from conftest import ROOT
from tensorflow_datasets.proto import tf_example_pb2

from anonygan_jax.data import grain_data
from anonygan_jax.data.batches import BatchLoader
from anonygan_jax.data.config import DataConfig, PairConfig
from anonygan_jax.data.records import EMBEDDED_COMPOSITES, FaceRecords, RecordsError
from anonygan_jax.data.stores import pack_stores
from anonygan_jax.training import sharding
from anonygan_jax.training.device_feed import iterate_on_devices

PAIRS = PairConfig(0.75, "same_identity", "other_identity", 2)
SPOILED = PairConfig(0.75, "spoiled_source", "other_identity", 2)


def _batches(loader: str, num_workers: int = 0, directory: str = "embedded"):
    config = DataConfig(
        *(directory, (44, 36), 5, loader, 3),
        repeats=tuple(range(1, len(directory.split(",")) + 1)),
        num_workers=num_workers,
    )
    return BatchLoader(config, PAIRS)


def _children() -> set[multiprocessing.process.BaseProcess]:
    """Processes of this one, those of other tests among them."""
    return set(multiprocessing.active_children())


@pytest.mark.parametrize("num_workers", [1, 2])
def test_packs_and_folders_give_the_batches_of_memory(num_workers, tmp_path):
    before = _children()
    (pack,) = pack_stores(["embedded"], tmp_path, (44, 36), 1.0, 90)
    memory = _batches("memory", directory=f"embedded,{pack}")
    made = _batches("grain", num_workers, f"embedded,{pack}")
    mesh = sharding.make_mesh()
    expected = list(iterate_on_devices(memory, 2, 7, mesh))
    chex.assert_trees_all_equal(list(iterate_on_devices(made, 2, 7, mesh)), expected)
    assert not _children() - before


def test_conditions_are_warped_as_from_memory():
    config = DataConfig("embedded", (44, 36), 5, "memory", 3)
    expected = BatchLoader(config, SPOILED, True, slice(1, 4)).batch(7)
    config = DataConfig("embedded", (44, 36), 5, "grain", 3)
    batches = BatchLoader(config, SPOILED, True, slice(1, 4))
    (batch,) = grain_data.grain_batches(batches, 7, 8)
    chex.assert_trees_all_equal(batch, expected)


ALL_BATCHES = """
from grain._src.python.ipc.shared_memory_array import SharedMemoryArray

from anonygan_jax.data.batches import BatchLoader
from anonygan_jax.data.config import DataConfig, PairConfig
from anonygan_jax.data.grain_data import grain_batches

if __name__ == "__main__":  # Grain's processes import this file
    config = DataConfig("embedded", (44, 36), 5, "grain", 3, num_workers=1)
    pairs = PairConfig(0.75, "same_identity", "other_identity", 2)
    print(len(list(grain_batches(BatchLoader(config, pairs), 0, 3))))
    SharedMemoryArray._del_thread_pool.close()
    SharedMemoryArray._del_thread_pool.join()  # it removes what nobody holds
"""


def test_no_shared_memory_is_left_for_the_end_of_the_process(tmp_path):
    (tmp_path / "all.py").write_text(ALL_BATCHES)
    command = [sys.executable, str(tmp_path / "all.py")]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "3\n"
    assert "shared_memory" not in done.stderr


def test_processes_are_deaf_to_signals_and_end_with_the_generator():
    before = _children()
    made = grain_data.grain_batches(_batches("grain", 2), 0, 1000)
    next(made)
    children = _children() - before
    assert len(children) == 2
    for child in children:
        status = pathlib.Path(f"/proc/{child.pid}/status").read_text()
        (blocked,) = re.findall(r"SigBlk:\t(\w+)", status)  # since its start
        for number in (signal.SIGINT, signal.SIGTERM):
            assert int(blocked, 16) >> (number - 1) & 1
            os.kill(child.pid, number)
    memory = _batches("memory")
    for step in range(1, 12):  # more than wait already
        chex.assert_trees_all_equal(next(made), memory.batch(step))
    made.close()
    assert not _children() - before
    handled = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    assert not handled & {signal.SIGINT, signal.SIGTERM}


def test_processes_end_when_their_parent_is_killed():
    code = """
import multiprocessing, time
from test_grain_data import _batches, grain_data
made = grain_data.grain_batches(_batches("grain", 1), 0, 1000)
next(made)
print(multiprocessing.active_children()[0].pid, flush=True)
time.sleep(60)
"""
    path = os.pathsep.join([str(pathlib.Path(__file__).parent), *sys.path])
    run = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    worker = int(run.stdout.readline())
    assert is_alive(worker)
    run.kill()
    run.wait()
    end = time.monotonic() + 20
    while is_alive(worker) and time.monotonic() < end:
        time.sleep(0.05)
    assert not is_alive(worker)


def test_a_damaged_picture_is_named(tmp_path):
    before = _children()
    whole = _batches("memory")
    first, later = (set(whole.indices_of(step).source) for step in (0, 1))
    folder = _damaged(tmp_path / "faces", later - first)
    made = grain_data.grain_batches(_batches("grain", 1, str(folder)), 0, 1000)
    chex.assert_trees_all_equal(next(made), whole.batch(0))
    with pytest.raises(RecordsError, match=f"{folder}: damaged") as error:
        list(made)
    assert "\n" not in str(error.value)
    assert not _children() - before


def _damaged(folder: pathlib.Path, faces: Iterable[int]) -> pathlib.Path:
    """A copy of the embedded faces with some pictures that cannot be decoded."""
    shutil.copytree(FaceRecords(EMBEDDED_COMPOSITES).directory, folder)
    (path,) = folder.glob("*.array_record-*")
    records = ArrayRecordReader(str(path)).read_all()
    writer = ArrayRecordWriter(str(path), "group_size:1")
    for index, record in enumerate(records):
        example = tf_example_pb2.Example.FromString(record)
        if index in faces:
            picture = example.features.feature["image"].bytes_list
            picture.value[0] = picture.value[0][:20]
        writer.write(example.SerializeToString())
    writer.close()
    return folder


def test_too_little_shared_memory_is_told(monkeypatch):
    usage = shutil.disk_usage("/")._replace(free=64 << 20)  # docker's default
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    batches = _batches("grain", 3000)
    made = grain_data.grain_batches(batches, 0, 3000)
    with pytest.raises(ValueError, match=r"/dev/shm has 64 MB free.*--shm-size"):
        next(made)


def test_pictures_are_those_of_whole_records(embedded):
    records = FaceRecords(EMBEDDED_COMPOSITES)
    pictures = records.images(np.arange(len(records)))
    expected = [face.image for face in embedded]  # decoded by TFDS
    np.testing.assert_array_equal(pictures, expected)
