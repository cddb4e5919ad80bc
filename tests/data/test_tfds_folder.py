"""Folders of prepared faces that are damaged, or that name code to import."""

import json
import pathlib
import shutil
import sys

import pytest

from anonygan_jax.data.records import EMBEDDED_COMPOSITES, FaceRecords, RecordsError


@pytest.fixture
def folder(tmp_path) -> pathlib.Path:
    source = FaceRecords(EMBEDDED_COMPOSITES).directory
    return pathlib.Path(shutil.copytree(source, tmp_path / "faces"))


@pytest.mark.parametrize("name", ["features.json", "dataset_info.json"])
@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'{"a": 1}'])
def test_damaged_descriptions_are_named(folder, name, content):
    (folder / name).write_bytes(content)
    with pytest.raises(RecordsError, match=f"{folder}: damaged") as error:
        FaceRecords(folder).read([0])
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("damage", [lambda d: d[: len(d) // 2], lambda d: b"x" * 99])
def test_damaged_records_are_named(folder, damage):
    (path,) = folder.glob("*.array_record-*")
    path.write_bytes(damage(path.read_bytes()))

    def use():
        records = FaceRecords(folder)
        return records.labels(), records.read(range(len(records)))

    with pytest.raises(RecordsError, match=str(folder)):
        use()


@pytest.mark.parametrize("key", ["pythonClassName", "python_class_name", "type"])
def test_no_module_is_imported_that_a_folder_names(folder, key, tmp_path, monkeypatch):
    (tmp_path / "evil_module.py").write_text("")
    monkeypatch.syspath_prepend(str(tmp_path))
    about = json.loads((folder / "features.json").read_text())
    (features,) = (v["features"] for k, v in about.items() if k == "featuresDict")
    features["file"] = {key: "evil_module.Feature", "content": {}}
    (folder / "features.json").write_text(json.dumps(about))
    with pytest.raises(RecordsError, match=r"names the class evil_module\.Feature"):
        FaceRecords(folder)
    assert "evil_module" not in sys.modules
