"""Shared by all tests: embedded faces, a tiny trained run, photos of composites."""

import contextlib
import os
import pathlib
import resource
import sys

os.environ.update(  # before JAX, and for the processes that tests start
    JAX_PLATFORMS="cpu",
    # Programs are compiled in a hurry, and kept from run to run.
    JAX_DISABLE_MOST_OPTIMIZATIONS="true",
    XLA_FLAGS=" ".join(
        [
            "--xla_cpu_use_fusion_emitters=false",  # 16 to 6 s for a step
            "--xla_cpu_parallel_codegen_split_count=1",
            os.environ.get("XLA_FLAGS", ""),
        ]
    ),
    JAX_COMPILATION_CACHE_DIR=os.path.join(
        os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"),
        "anonygan_jax",
        "compiled",
    ),
    JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS="0.3",
    JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES="0",
)

from collections.abc import Callable, Iterator

import hypothesis
import jax
import jaxtyping
import ml_collections
import numpy as np
import pytest
from PIL import Image

# No test is about time: machines are busy.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

ROOT = pathlib.Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

# Types and shapes are checked in tests alone, in modules imported after this line. Not
# in the rest of systems: pytrees are made of whatever JAX puts into them.
CHECKED = ("models", "faces", "methods", "systems.losses")
jaxtyping.install_import_hook(
    [f"anonygan_jax.{name}" for name in CHECKED], "beartype.beartype"
)

from anonygan_jax.data.records import (  # noqa: E402
    EMBEDDED_COMPOSITES,
    FaceRecord,
    FaceRecords,
)


@pytest.fixture(scope="session")
def embedded() -> list[FaceRecord]:
    """All embedded faces."""
    records = FaceRecords(EMBEDDED_COMPOSITES)
    return records.read(range(len(records)))


@pytest.fixture(scope="session")
def group_photo(embedded: list[FaceRecord]) -> np.ndarray:
    """A photo of two composites side by side, uint8 [300, 480, 3]."""
    photo = np.full((300, 480, 3), 210, np.uint8)
    photo[40:260, 30:210] = embedded[0].image
    photo[40:260, 270:450] = embedded[-1].image
    return photo


@pytest.fixture(scope="session")
def photo_folder(tmp_path_factory, embedded, group_photo) -> pathlib.Path:
    """Photos of three composites in folders of their own, and ones that are wrong."""
    folder = tmp_path_factory.mktemp("photos")
    for face in embedded[:3] + embedded[-3:]:
        path = folder / face.identity / pathlib.Path(face.file).name
        path.parent.mkdir(exist_ok=True)
        Image.fromarray(face.image).save(path)
    Image.fromarray(group_photo).save(folder / "group.jpg", quality=95)
    Image.new("RGB", (80, 60), "green").save(folder / "meadow.png")
    Image.new("RGB", (1, 1)).save(folder / "dot.png")
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 not a photo")
    (folder / "empty.png").write_bytes(b"")
    (folder / "notes.md").write_text("not a photo")
    return folder


@pytest.fixture
def in_this_process(monkeypatch) -> None:
    """Photos and videos are processed here: faster, and faults can be planted."""
    from anonygan_jax.io.worker_pool import WorkerPool

    monkeypatch.setattr(
        WorkerPool,
        "in_processes",
        classmethod(lambda cls, load, num_workers: cls.in_thread(load())),
    )


@pytest.fixture(scope="session")
def tiny_config() -> ml_collections.ConfigDict:
    """Networks so small that a step takes milliseconds, on the embedded faces."""
    from configs import composites

    config = composites.get_config().unlock()
    config.model.width = 4
    config.model.num_blocks = 1
    config.model.num_nodes = 4
    config.model.discriminator_width = 4
    config.data.image_size = (56, 48)
    config.data.batch_size = 4
    config.optimiser.num_steps = 4
    config.optimiser.decay_from_step = 100  # so that runs share a compiled step
    config.run.log_every_x_steps = 1
    config.run.picture_every_x_steps = 4
    config.run.checkpoint_every_x_steps = 2
    config.run.num_pictures = 2
    return config.lock()


@pytest.fixture(scope="session")
def compiled_once() -> Iterator[None]:
    """Runs in this process share their programs."""
    from tests.compiled_once import share

    with pytest.MonkeyPatch.context() as patch:
        share(patch)
        yield


@pytest.fixture(scope="session")
def tiny_run(tmp_path_factory, tiny_config, compiled_once) -> pathlib.Path:
    """The workdir of a finished tiny run."""
    from anonygan_jax.training.loop import train_and_evaluate

    workdir = tmp_path_factory.mktemp("tiny_run")
    train_and_evaluate(tiny_config, workdir)
    return workdir


@pytest.fixture(scope="session")
def refine_config(tiny_config) -> ml_collections.ConfigDict:
    """A generator that improves warped faces."""
    config = tiny_config.copy_and_resolve_references().unlock()
    config.model.uses_warped_condition = True
    config.model.landmark_dropout = 0.1
    config.losses.low_frequency_l1 = 10.0
    config.data.zoom = 1.4
    config.data.landmark_jitter = 2.0
    return config.lock()


@pytest.fixture(scope="session")
def refine_run(tmp_path_factory, refine_config, write_untrained) -> pathlib.Path:
    """The workdir of such a generator before its first step."""
    return write_untrained(refine_config, tmp_path_factory.mktemp("refine_run"))


@pytest.fixture(scope="session")
def write_untrained():
    """What writes the state before the first step of a run."""
    return _write_untrained


def _write_untrained(
    config: ml_collections.ConfigDict, workdir: pathlib.Path
) -> pathlib.Path:
    """Returns the folder."""
    from anonygan_jax.training import factory
    from anonygan_jax.training.checkpoints import Checkpoints
    from anonygan_jax.training.config import save_config

    train_step = factory.make_train_step(config)
    batch = factory.open_batches(config, train_step.system).batch(0)
    key = jax.random.key(0, impl=factory.RNG_IMPL)
    state = jax.jit(train_step.init)(key, batch)
    checkpoints = Checkpoints(workdir, 1)
    checkpoints.save(state)
    checkpoints.close()
    save_config(config, workdir)
    return workdir


@pytest.fixture
def limited_files() -> Callable[[int], contextlib.AbstractContextManager]:
    """Contexts in which no file grows beyond so many bytes, as on a full disk."""

    @contextlib.contextmanager
    def limited(num_bytes: int) -> Iterator[None]:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return limited
