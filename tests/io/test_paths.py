"""Addresses, and files that are written to a bucket; the bucket is in memory."""

import argparse
import contextlib
import os
import pathlib
import sys
import time

import filelock
import fsspec
import numpy as np
import pytest
from click.testing import CliRunner

from anonygan_jax.cli.main import main
from anonygan_jax.data.stores import open_store
from anonygan_jax.io import extras, fetch, paths
from anonygan_jax.io.atomic_write import atomic_write
from anonygan_jax.io.staged_folder import StagedFolder, staged_folder
from anonygan_jax.training import profiling
from anonygan_jax.training.metric_writer import MetricWriter
from anonygan_jax.training.nan_guard import NanGuard, NotFiniteError
from anonygan_jax.training.step import SKIPPED
from anonygan_jax.weights import checkpoint_folder, generator_checkpoint
from anonygan_jax.weights.checkpoint_folder import saved_steps


@pytest.fixture
def bucket(monkeypatch, tmp_path):
    """gs://bucket, which is fsspec's file system in memory."""
    store = fsspec.filesystem("memory")
    store.store.clear()
    store.pseudo_dirs[:] = [""]
    store.mkdir("/bucket")
    from etils.epath import backend

    monkeypatch.setattr(backend.fsspec_backend, "fs", lambda path: _Unprefixed(store))
    monkeypatch.setattr(paths, "client_of", lambda path: (store, _name(path)))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    yield paths.path_of("gs://bucket/run")
    store.store.clear()


def _name(path) -> str:
    return "/" + str(path).removeprefix("gs://")


def _no_network(file, path):
    raise paths.BucketError(f"{path}: no network")


class _Unprefixed:
    """The methods of a file system, with the names that it has in memory."""

    def __init__(self, store) -> None:
        self._store = store

    def __getattr__(self, name: str):
        method = getattr(self._store, name)
        return lambda path, *args, **kwargs: method(_name(path), *args, **kwargs)


@pytest.mark.parametrize(
    "text",
    ["memory://x", "gs:/b/x", "gs:b", "gs://", "gs:///x", "http://x/y", "S3://b"],
)
def test_unknown_addresses_are_refused_by_every_command(text, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(paths.PathError, match="give a folder or gs://BUCKET/FOLDER"):
        paths.path_of(text)
    with pytest.raises(paths.PathError):
        open_store(text)
    for arguments in (
        ["export", text, "--output", "out"],
        ["port", "weights.pth", "--output", text],
        ["train-status", text],
        ["prepare", "photos", "--output", text],
        ["anonymise", "photo.jpg", "--output", text],
        ["evaluate", "--originals", "photos", "--output", text],
        ["conditions", "build", "photos", "--output", text, "--attribution", "ours"],
    ):
        result = CliRunner().invoke(main, arguments)
        assert result.exit_code == 1
        assert text in result.output.splitlines()[-1]
    assert not list(tmp_path.iterdir())


def test_folders_of_this_machine_are_no_addresses():
    for text in ("runs/x", "/tmp/gs", "C:/runs", "2024-01-01T10:30", "./gs:/x", "."):
        assert str(paths.path_of(text)) == text.removeprefix("./")
        assert not paths.is_bucket(text)


def test_a_missing_package_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(extras.MissingPackage, match=r"s3fs: pip install .*\[buckets\]"):
        paths.path_of("s3://bucket/x")


def test_the_absolute_path_of_a_bucket_is_itself(bucket):
    assert str(paths.absolute(bucket)) == "gs://bucket/run"
    assert paths.kvstore(bucket / "a") == {
        "driver": "gcs",
        "bucket": "bucket",
        "path": "run/a/",
    }


def test_a_file_is_written_when_the_block_succeeds(bucket):
    with atomic_write(bucket / "a.txt") as partial:
        partial.write_text("one")
    with contextlib.suppress(KeyError), atomic_write(bucket / "a.txt") as partial:
        partial.write_text("half")
        raise KeyError
    assert (bucket / "a.txt").read_text() == "one"
    assert not partial.exists()


def test_a_staged_folder_uploads_what_has_changed(bucket, monkeypatch):
    uploaded = []
    upload = paths.upload
    monkeypatch.setattr(
        paths,
        "upload",
        lambda file, path: uploaded.append(file.name) or upload(file, path),
    )
    folder = StagedFolder(bucket)
    (folder.path / "sub").mkdir()
    for name in ("a", "sub/b"):
        (folder.path / name).write_text(name)
    folder.publish("a")
    folder.publish()
    (folder.path / "a").write_text("changed")
    folder.publish()
    folder.close()
    assert uploaded == ["a", "b", "a"]
    assert (bucket / "a").read_text() == "changed"
    assert (bucket / "sub" / "b").read_text() == "sub/b"
    with contextlib.suppress(KeyError), staged_folder(bucket / "new") as new:
        (new / "c").write_text("half")
        raise KeyError
    assert not (bucket / "new" / "c").exists()


def test_metrics_in_a_bucket_go_on_after_the_step_of_a_resume(bucket, tiny_config):
    writer = MetricWriter(bucket, 0, tiny_config)
    for step in (1, 2, 3):
        writer.scalars(step, {"loss": step})
        assert (bucket / "metrics.jsonl").read_text().count("\n") == step
    writer.close()
    writer = MetricWriter(bucket, 2, tiny_config)
    writer.scalars(3, {"loss": 30})
    writer.close()
    lines = (bucket / "metrics.jsonl").read_text().splitlines()
    assert [line.split(":")[-1] for line in lines] == [" 1}", " 2}", " 30}"]


def test_a_bucket_that_fails_does_not_end_a_run(
    bucket, tiny_config, monkeypatch, caplog
):
    writer = MetricWriter(bucket, 0, tiny_config)
    with monkeypatch.context() as patch:
        patch.setattr(paths, "upload", _no_network)
        writer.scalars(1, {"loss": 1})
    assert "the run goes on: gs://bucket/run/metrics.jsonl: no network" in caplog.text
    writer.scalars(2, {"loss": 2})
    writer.close()
    assert (bucket / "metrics.jsonl").read_text().count("\n") == 2


def test_a_failed_upload_of_a_profile_does_not_end_a_run(bucket, monkeypatch, caplog):
    def start(folder: str) -> None:
        (pathlib.Path(folder) / "trace").touch()

    monkeypatch.setattr(profiling.jax.profiler, "start_trace", start)
    monkeypatch.setattr(profiling.jax.profiler, "stop_trace", lambda: None)
    monkeypatch.setattr(paths, "upload", _no_network)
    profiler = profiling.Profiler(bucket, (1, 1))
    profiler.before(1)
    with caplog.at_level("INFO", "anonygan_jax"):
        profiler.after(1, None)
    assert caplog.messages == [
        "not written, the run goes on: gs://bucket/run/profile/trace: no network"
    ]


def test_a_failed_upload_of_a_batch_does_not_end_a_run(bucket, monkeypatch, caplog):
    class Batches:
        def batch(self, number: int) -> argparse.Namespace:
            return argparse.Namespace(faces=np.zeros(number))

    monkeypatch.setattr(paths, "upload", _no_network)
    guard = NanGuard(bucket, Batches(), 1)
    for step in (1, 2):
        guard.note(step, {"loss": np.float32("nan"), SKIPPED: np.float32(1)})
    message = "step 1: loss not finite; its batch could not be written"
    assert f"{message}; this update is left out" in caplog.text
    assert "the run goes on: gs://bucket/run/not_finite_1" in caplog.text
    with pytest.raises(NotFiniteError, match="its batch could not be written"):
        guard.check()


def test_errors_of_the_clients_are_those_of_a_bucket(bucket):
    retry = pytest.importorskip("gcsfs.retry")
    for kind in (retry.HttpError, retry.ChecksumError, retry.NonRetryableError):
        with (
            pytest.raises(
                paths.BucketError, match=f"gs://bucket/run: .*{kind.__name__}"
            ),
            paths.bucket_errors(bucket),
        ):
            raise kind


def test_a_copy_is_used_until_the_bucket_changes(bucket, monkeypatch):
    for name in ("a", "sub/b"):
        with atomic_write(bucket / name) as partial:
            partial.write_text(name)
    downloads = []
    download = fetch._download
    monkeypatch.setattr(
        fetch, "_download", lambda *args: downloads.append(args) or download(*args)
    )
    first = fetch.fetch("gs://bucket/run")
    assert first.name == "run"
    assert (first / "sub" / "b").read_text() == "sub/b"
    assert fetch.fetch("gs://bucket/run") == first
    assert len(downloads) == 1
    with atomic_write(bucket / "a") as partial:
        partial.write_text("changed")
    second = fetch.fetch("gs://bucket/run")
    assert (second / "a").read_text() == "changed"
    assert (first / "a").read_text() == "a"  # another process may read it
    assert fetch.fetch("gs://bucket/run/a").read_text() == "changed"
    with pytest.raises(paths.PathError, match="gs://bucket/no: nothing is there"):
        fetch.fetch("gs://bucket/no")


def test_copies_that_nothing_asks_for_are_removed_in_the_end(bucket):
    names = ("used", "unused", "fetched_now", "new")
    for name in names:
        with atomic_write(bucket / name) as partial:
            partial.write_text(name)
    copies = {name: fetch.fetch(f"gs://bucket/run/{name}") for name in names[:3]}
    then = time.time() - fetch.UNUSED_SECONDS - 60
    for copy in copies.values():
        os.utime(copy.parent, (then, then))
    assert fetch.fetch("gs://bucket/run/used") == copies["used"]
    (unused, fetched) = (copies[n].parents[1] / "lock" for n in names[1:3])
    assert not copies["unused"].exists()
    assert not copies["fetched_now"].exists()
    again = fetch.fetch("gs://bucket/run/fetched_now")
    os.utime(again.parent, (then, then))
    with filelock.FileLock(fetched):  # of a process that is about to use it
        fetch.fetch("gs://bucket/run/new")
    assert again.read_text() == "fetched_now"
    assert copies["used"].read_text() == "used"
    assert unused.exists()


def test_generators_of_two_steps_are_copied_beside_each_other(bucket, monkeypatch):
    run = checkpoint_folder.checkpoint_path("embedded")
    paths.upload(run / "config.json", bucket / "config.json")
    (item,) = (run / "checkpoints").glob("*/generator")
    for file in filter(lambda path: path.is_file(), item.rglob("*")):
        for step in ("5", "6"):
            name = f"{step}/generator/{file.relative_to(item)}"
            paths.upload(file, bucket / "checkpoints" / name)
    copies = []
    monkeypatch.setattr(
        generator_checkpoint,
        "fetch",
        lambda *args: copies.append(fetch.fetch(*args)) or copies[-1],
    )
    for step in (5, 6):
        assert generator_checkpoint.load_generator(bucket, step)[2] == step
    assert len(set(copies)) == 2
    assert all(copy.exists() for copy in copies)


def test_a_cache_that_cannot_be_made_is_one_line(bucket, tmp_path, monkeypatch):
    with atomic_write(bucket / "a") as partial:
        partial.write_text("a")
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(
        paths.BucketError, match=r"^.*/file/.*gs://bucket/run/a.*set XDG_CACHE_HOME.*$"
    ):
        fetch.fetch("gs://bucket/run/a")


def test_a_full_disk_is_said_before_anything_is_fetched(bucket, monkeypatch):
    with atomic_write(bucket / "a") as partial:
        partial.write_bytes(bytes(2_000_000))
    usage = fetch.shutil.disk_usage("/")._replace(free=1_000_000)
    monkeypatch.setattr(fetch.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(
        paths.BucketError, match=r"gs://bucket/run: 2 MB, but .* has 1 free"
    ):
        fetch.fetch("gs://bucket/run")


def test_steps_in_a_bucket_are_whole_when_orbax_says_so(bucket):
    """An export, a whole step, one that is being written, one that was not."""
    files = [
        "5/generator/manifest.ocdbt",
        *(f"10/{x}" for x in ("generator/manifest.ocdbt", "_CHECKPOINT_METADATA")),
        "10/commit_success.txt",
        *(f"15/{x}" for x in ("generator/manifest.ocdbt", "_CHECKPOINT_METADATA")),
        "20/generator/_METADATA",
        "damaged_25/generator/manifest.ocdbt",
    ]
    for name in files:
        with atomic_write(bucket / "checkpoints" / name) as partial:
            partial.touch()
    assert saved_steps(bucket) == [5, 10]
