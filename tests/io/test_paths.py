"""Addresses, and files that are written to a bucket; the bucket is in memory."""

import contextlib

import fsspec
import pytest
from click.testing import CliRunner

from anonygan_jax.cli.main import main
from anonygan_jax.data.stores import open_store
from anonygan_jax.io import fetch, paths
from anonygan_jax.io.atomic_write import atomic_write
from anonygan_jax.io.staged_folder import StagedFolder, staged_folder
from anonygan_jax.training.metric_writer import MetricWriter
from anonygan_jax.weights.generator_checkpoint import saved_steps


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
    monkeypatch.setattr(paths.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(paths.PathError, match=r"s3fs: pip install .*\[buckets\]"):
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
    def fail(file, path):
        raise paths.BucketError(f"{path}: no network")

    writer = MetricWriter(bucket, 0, tiny_config)
    with monkeypatch.context() as patch:
        patch.setattr(paths, "upload", fail)
        writer.scalars(1, {"loss": 1})
    assert "the run goes on: gs://bucket/run/metrics.jsonl: no network" in caplog.text
    writer.scalars(2, {"loss": 2})
    writer.close()
    assert (bucket / "metrics.jsonl").read_text().count("\n") == 2


def test_a_copy_is_used_until_the_bucket_changes(bucket, monkeypatch):
    for name in ("a", "sub/b", "other"):
        with atomic_write(bucket / name) as partial:
            partial.write_text(name)
    downloads = []
    download = fetch._download
    monkeypatch.setattr(
        fetch, "_download", lambda *args: downloads.append(args) or download(*args)
    )
    first = fetch.fetch("gs://bucket/run", lambda name: name != "other")
    assert first.name == "run"
    assert (first / "sub" / "b").read_text() == "sub/b"
    assert not (first / "other").exists()
    assert fetch.fetch("gs://bucket/run", lambda name: name != "other") == first
    assert len(downloads) == 1
    with atomic_write(bucket / "a") as partial:
        partial.write_text("changed")
    second = fetch.fetch("gs://bucket/run")
    assert (second / "a").read_text() == "changed"
    assert not first.exists()
    assert fetch.fetch("gs://bucket/run/a").read_text() == "changed"
    with pytest.raises(paths.PathError, match="gs://bucket/no: nothing is there"):
        fetch.fetch("gs://bucket/no")


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
