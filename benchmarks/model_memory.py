"""Peak memory of AnonyGAN's generator and training step, ours and plain PyTorch's.

    pip install '.[peers]'
    python -m benchmarks.model_memory --batch_size=1

Each is run twice on a CPU by a process of its own, which imports only what it needs.
Its largest resident set is reported, XLA's compilation included.
"""

import resource
import subprocess
import sys

from absl import app, flags
from ml_collections import config_flags

_CONFIG = config_flags.DEFINE_config_file(
    "config", "configs/celeba.py:paper", "Whose networks."
)
_BATCH_SIZE = flags.DEFINE_integer("batch_size", 1, "Pairs.")
_RUN = flags.DEFINE_string("run", "", "One of PARTS, in this process.")
PARTS = ("forward JAX", "forward PyTorch", "step JAX", "step PyTorch")


def run_jax(is_step: bool) -> None:
    """Runs our program."""
    import jax

    from anonygan_jax.models.compiler_options import compiler_options
    from benchmarks.our_programs import OurPrograms

    report("imports")
    ours = OurPrograms(_CONFIG.value, _BATCH_SIZE.value)
    program = (ours.step if is_step else ours.forward)(compiler_options())
    for _ in range(2):
        jax.block_until_ready(program())


def run_torch(is_step: bool) -> None:
    """Runs PyTorch's."""
    import torch

    from benchmarks.torch_step import TorchBatch, TorchStep

    report("imports")
    config, count = _CONFIG.value, _BATCH_SIZE.value

    def noise(channels: int) -> torch.Tensor:
        return torch.rand(count, channels, *config.data.image_size)

    images = [noise(3) for _ in range(3 if config.model.uses_warped_condition else 2)]
    heatmaps = noise(2 * config.model.num_landmarks)
    batch = TorchBatch(images, heatmaps, noise(3), noise(1), torch.ones(count))
    step = TorchStep(config, "cpu")
    for _ in range(2):
        if is_step:
            step(batch)
            continue
        step.generator.eval()
        with torch.inference_mode():
            step.generate(batch)


def report(what: str) -> None:
    """Prints this process' peak so far."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{_RUN.value:20s} {what:8s} {peak:6.2f} GiB", flush=True)


def main(arguments: list[str]) -> None:
    """Prints two lines for each part."""
    if _RUN.value:
        run = run_jax if "JAX" in _RUN.value else run_torch
        run(_RUN.value.startswith("step"))
        report("all")
        return
    program = [sys.executable, "-m", "benchmarks.model_memory", *sys.argv[1:]]
    for part in PARTS:
        subprocess.run([*program, f"--run={part}"], check=True)


if __name__ == "__main__":
    app.run(main)
