"""The device of networks: which is taken, what is refused, and what reaches workers."""

import contextlib
import functools
import json
import logging
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import onnxruntime
import pytest
from click.testing import CliRunner
from onnx_stub import StubbedRuntime
from onnxruntime.capi import onnxruntime_pybind11_state as state
from PIL import Image

from anonygan_jax.anonymise.batch.contents import About
from anonygan_jax.anonymise.batch.worker import Worker
from anonygan_jax.anonymise.settings import Settings
from anonygan_jax.cli import demo_uploads, main
from anonygan_jax.io import fork_server, onnx_device
from anonygan_jax.io.onnx_device import (
    AUTO,
    CPU,
    GPU,
    GPU_OPTIONS,
    GPU_PROVIDER,
    DeviceError,
    default_device,
)
from anonygan_jax.io.onnx_file import ASSETS, OnnxFile
from anonygan_jax.io.worker_pool import WorkerPool
from anonygan_jax.methods import make_methods

FILE = ASSETS / "detectors" / "iris_landmark.onnx"
IMAGE = np.zeros((1, 64, 64, 3), np.float32)
NO_DRIVER = "CUDA failure 35: CUDA driver version is insufficient"
# What a GPU that is listed may do instead of running a network.
FAULTS = {
    "could not be loaded": {"can_load": False},
    NO_DRIVER: {"opening": RuntimeError(NO_DRIVER)},
    "out of memory": {"opening": state.RuntimeException("out of memory")},
    "no kernel image": {"running": state.EPFail("no kernel image")},
}


@pytest.fixture
def runtime(monkeypatch) -> StubbedRuntime:
    """An ONNX Runtime with a GPU."""
    for name in ("get_available_providers", "InferenceSession"):
        monkeypatch.setattr(onnxruntime, name, getattr(onnxruntime, name))  # put back
    return StubbedRuntime().install()


def _set(runtime: StubbedRuntime, **faults: object) -> None:
    for name, value in faults.items():
        setattr(runtime, name, value)


def test_the_gpu_is_taken_where_it_can_run_a_network(runtime):
    assert onnx_device.resolve(AUTO) == onnx_device.resolve(GPU) == GPU
    ((name, _), *_) = runtime.opened
    assert runtime.devices() == {name: {GPU}}  # it was tried


def test_the_cpu_is_taken_without_a_look_at_the_gpu(runtime):
    assert onnx_device.resolve(CPU) == CPU
    assert not runtime.opened


def test_without_the_provider_auto_is_the_cpu_and_gpu_is_refused(runtime, caplog):
    runtime.is_listed = False
    assert onnx_device.resolve(AUTO) == CPU
    assert not caplog.records
    with pytest.raises(DeviceError, match="for CPUs alone") as refused:
        onnx_device.resolve(GPU)
    assert "pip uninstall -y onnxruntime onnxruntime-gpu" in str(refused.value)
    assert "pip install 'onnxruntime-gpu[cuda,cudnn]'" in str(refused.value)
    assert not runtime.opened


@pytest.mark.parametrize(("text", "fault"), FAULTS.items())
def test_a_gpu_that_is_listed_and_fails_is_refused_or_told(
    text, fault, runtime, caplog
):
    _set(runtime, **fault)
    with pytest.raises(DeviceError, match=text) as refused:
        onnx_device.resolve(GPU)
    assert "driver, CUDA and cuDNN" in str(refused.value)
    assert not caplog.records
    with caplog.at_level(logging.WARNING):
        assert onnx_device.resolve(AUTO) == CPU
    (record,) = caplog.records
    assert text in record.getMessage()


def test_an_unknown_device_is_refused():
    with pytest.raises(ValueError, match="'tpu', wanted one of auto, cpu, gpu"):
        onnx_device.resolve("tpu")


def test_networks_run_where_they_were_made_whoever_calls_them(runtime):
    with default_device(GPU):
        on_gpu = OnnxFile(FILE)
        with default_device(CPU):
            inner = OnnxFile(FILE)
    on_cpu = OnnxFile(FILE)
    runtime.opened.clear()
    for network, device in ((on_gpu, GPU), (inner, CPU), (on_cpu, CPU)):
        with ThreadPoolExecutor() as threads:
            threads.submit(network, IMAGE).result()
        assert runtime.devices() == {FILE.name: {device}}
        runtime.opened.clear()


def test_another_thread_and_what_follows_an_error_have_the_cpu(runtime):
    with default_device(GPU), ThreadPoolExecutor() as threads:
        assert threads.submit(onnx_device.current_device).result() == CPU
        assert onnx_device.current_device() == GPU
    with contextlib.suppress(KeyError), default_device(GPU):
        raise KeyError
    assert onnx_device.current_device() == CPU


def test_the_gpu_computes_in_single_precision_and_leaves_nothing_to_the_cpu(runtime):
    with default_device(GPU):
        OnnxFile(FILE)(IMAGE)
    _, arguments = runtime.opened[-1]
    provider, options = arguments["providers"][0]
    assert (provider, options) == (GPU_PROVIDER, GPU_OPTIONS)
    assert options["use_tf32"] == "0"
    assert not arguments["enable_fallback"]


def test_a_network_of_the_gpu_never_runs_on_the_cpu_instead(runtime):
    with default_device(GPU):
        network = OnnxFile(FILE)
        runtime.can_load = False
        with pytest.raises(DeviceError, match="could not be loaded"):
            network(IMAGE)
        with pytest.raises(DeviceError, match="could not be loaded"):
            make_methods("anonygan")  # nor is the file called damaged


@pytest.mark.skipif(
    GPU_PROVIDER in onnxruntime.get_available_providers(), reason="has a GPU"
)
def test_the_real_onnx_runtime_is_noticed_when_it_takes_the_cpu():
    options = onnxruntime.SessionOptions()
    with (
        pytest.warns(UserWarning, match=GPU_PROVIDER),
        pytest.raises(DeviceError, match="could not be loaded"),
    ):
        onnx_device.open_session(FILE, options, GPU)


def _anonymised(photo, folder, *arguments: str):
    """The result of a photo by the command, and the settings in its report."""
    command = ["anonymise", str(photo), "--output", str(folder), *arguments]
    result = CliRunner().invoke(main.main, command)
    assert result.exit_code == 0, result.output
    (run,) = json.loads((folder / "report.json").read_text())["runs"].values()
    return np.asarray(Image.open(folder / photo.name)), run["settings"]


def test_every_network_of_the_command_runs_on_the_device(
    runtime, group_photo, tmp_path
):
    photo = tmp_path / "group.png"
    Image.fromarray(group_photo).save(photo)
    results = {}
    for device in (GPU, CPU):
        runtime.opened.clear()
        arguments = ("--method", "auto", "--device", device)
        results[device], settings = _anonymised(photo, tmp_path / device, *arguments)
        assert settings["device"] == device
        # CUDA does not survive a fork.
        start = fork_server.context().get_start_method()
        assert start == {GPU: "spawn", CPU: "forkserver"}[device]
        names = ("centerface", "dlib", "face_landmark", "generator", "mobilefacenet")
        assert runtime.devices() == {f"{name}.onnx": {device} for name in names}
    np.testing.assert_array_equal(results[GPU], results[CPU])  # the stub is the CPU
    assert (results[GPU] != group_photo).any()


def test_the_report_names_the_device_that_auto_took(runtime, group_photo, tmp_path):
    photo = tmp_path / "group.png"
    Image.fromarray(group_photo).save(photo)
    blur = ("--method", "blur", "--device", AUTO)
    assert _anonymised(photo, tmp_path / "gpu", *blur)[1]["device"] == GPU
    runtime.is_listed = False
    assert _anonymised(photo, tmp_path / "cpu", *blur)[1]["device"] == CPU


def test_results_of_one_device_are_not_those_of_another():
    keys = {About.of(Settings("blur", device=device)).key for device in (CPU, GPU)}
    assert len(keys) == 2
    assert About.of(Settings("blur")).key in keys


@pytest.mark.parametrize("command", ["anonymise", "demo"])
def test_a_gpu_that_is_not_there_is_refused_in_one_line(
    command, runtime, tmp_path, monkeypatch
):
    runtime.is_listed = False
    monkeypatch.chdir(tmp_path)
    arguments = {"anonymise": ["none.jpg", "--output", "out"], "demo": []}[command]
    result = CliRunner().invoke(main.main, [command, *arguments, "--device", "gpu"])
    assert result.exit_code == main.COULD_NOT_BEGIN
    (line,) = result.output.splitlines()
    assert line.startswith("Error: --device gpu: no GPU can be used: ")
    assert "pip install 'onnxruntime-gpu" in line
    assert not list(tmp_path.iterdir())


class _StubbedWorker(Worker):
    """A worker in a process whose ONNX Runtime has a GPU."""

    def __init__(self, settings: Settings, **faults: object) -> None:
        self.runtime = StubbedRuntime(**faults).install()
        super().__init__(settings)


def _devices(worker: _StubbedWorker, photo: np.ndarray) -> dict[str, set[str]]:
    worker.runtime.opened.clear()
    worker.anonymiser(photo)
    return worker.runtime.devices()


@pytest.mark.parametrize("device", [CPU, GPU])
def test_the_device_reaches_a_worker_process(device, group_photo):
    load = functools.partial(_StubbedWorker, Settings("blur", device=device))
    with WorkerPool.in_processes(load, 1) as pool:
        (devices,) = pool.map(_devices, [group_photo])
    assert len(devices) >= 2
    assert set().union(*devices.values()) == {device}


def test_a_worker_process_without_the_gpu_says_so(group_photo):
    settings = Settings("blur", device=GPU)
    load = functools.partial(_StubbedWorker, settings, can_load=False)
    with (
        pytest.raises(DeviceError, match="could not be loaded"),
        WorkerPool.in_processes(load, 1) as pool,
    ):
        list(pool.map(_devices, [group_photo]))


def test_uploads_to_the_page_run_on_its_device(
    runtime, group_photo, tmp_path, monkeypatch
):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    Image.fromarray(group_photo).save(tmp_path / "group.png")
    upload = str(tmp_path / "group.png"), "blur", demo_uploads.FITTING, 0, "embedded"
    with WorkerPool.in_thread(None) as pool:
        uploads = demo_uploads.Uploads(pool, GPU)
        demo_uploads.make_anonymiser.cache_clear()
        assert "2 faces hidden" in uploads.anonymise_photo(*upload)[-1]
        assert set().union(*runtime.devices().values()) == {GPU}
        runtime.can_load = False
        demo_uploads.make_anonymiser.cache_clear()
        said = uploads.anonymise_photo(*upload)[-1]
    assert "could not be loaded" in said
    assert "There is no result" in said
    demo_uploads.make_anonymiser.cache_clear()


def test_settings_know_the_device():
    """Results of the two differ, so that "auto" would be no key of a run."""
    with pytest.raises(ValueError, match="device is 'auto', wanted 'cpu' or 'gpu'"):
        Settings("blur", device="auto")
