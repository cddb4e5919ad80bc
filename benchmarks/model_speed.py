"""AnonyGAN's generator and training step: ours, and the same in plain PyTorch.

    pip install '.[peers,onnx]' && pip install --no-deps 'jax2onnx>=0.17.1,<0.18'
    python -m benchmarks.model_speed --batch_size=1
    python -m benchmarks.model_speed --config=configs/faces.py --batch_size=8
    XLA_PYTHON_CLIENT_PREALLOCATE=false python -m benchmarks.model_speed \\
        --batch_size=32 --compile --config.model.compute_dtype=bfloat16

The last line is for a GPU, which is used where JAX and PyTorch both see one; float32 is
TF32 there on both sides. First the two sides' networks are compared
(`torch_equality`); --runs=0 does nothing else, --nocheck leaves it out, which takes
minutes of the paper's networks. Then all are timed in turn with equal
threads. PyTorch is given dense heatmaps, our programs make theirs. Our step also has
the average of the weights and the check for numbers that are not finite. Shares are of
the peak of products in bfloat16, by the operations that PyTorch counts.
`model_memory` has the memory of each.
"""

import os
import statistics

import cv2
import jax
import ml_collections
import torch
import torch._functorch.config
from absl import app, flags
from ml_collections import config_flags
from torch.utils.flop_counter import FlopCounterMode

from anonygan_jax.models.compiler_options import compiler_options
from anonygan_jax.training.accelerator_specs import CHIPS
from benchmarks import in_turn, torch_equality, torch_weights
from benchmarks.our_programs import OurPrograms, Program
from benchmarks.torch_step import TorchStep

_CONFIG = config_flags.DEFINE_config_file(
    "config", "configs/celeba.py:paper", "Whose networks."
)
_BATCH_SIZE = flags.DEFINE_integer("batch_size", 1, "Pairs per step.")
_RUNS = flags.DEFINE_integer("runs", 5, "Timed runs of each, after one warm-up.")
_CHECK = flags.DEFINE_bool("check", True, "Compare the two sides' networks first.")
_COMPILE = flags.DEFINE_bool("compile", False, "Time torch.compile, too.")
OURS, PEER = "JAX", "PyTorch"


def peers(
    config: ml_collections.ConfigDict, ours: OurPrograms, is_compiled: bool
) -> tuple[Program, Program]:
    """Returns the generator and the step in PyTorch."""
    device = "cuda" if _on_gpu() else "cpu"
    batch = torch_weights.torch_batch(ours.pair, config.model.heatmap_grid)
    batch = batch.map(lambda tensor: tensor.to(device))
    step = TorchStep(config, device)
    torch_weights.load_weights(step, ours.state)
    if is_compiled:
        for network in torch_weights.networks(step).values():
            network.compile()

    @torch.inference_mode()
    def forward() -> None:
        step.generator.eval()
        step.generate(batch)
        _wait()

    def train() -> None:
        step.generator.train()
        step(batch)
        _wait()

    return forward, train


def report(name: str, programs: dict[str, Program], num_flops: int) -> None:
    """Prints a line for each side: time, rate, and the ratio to PyTorch's time."""
    times = in_turn.time_in_turn(programs, _RUNS.value)
    count, chip = _BATCH_SIZE.value, CHIPS.get(jax.devices()[0].device_kind)
    for side, seconds in times.items():
        median = statistics.median(seconds)
        rate = num_flops / median
        share = f", {rate / chip.peak:.0%} of peak" if chip else ""
        print(
            f"{name}, {side:20s} {in_turn.milliseconds(seconds, count)}, "
            f"{count / median:8.1f} images/s, {rate / 1e9:8.0f} GFLOP/s{share}; "
            f"{in_turn.median_ratio(times[PEER], seconds):.2f} of {PEER}'s speed",
            flush=True,
        )


def count_flops(program: Program) -> int:
    """Returns the FLOPs of convolutions and products of a program of PyTorch."""
    with FlopCounterMode(display=False) as counter:
        program()
    return counter.get_total_flops()


def main(_arguments: list[str]) -> None:
    """Prints the differences of the two sides, and a line for each of their speeds."""
    config, count = _CONFIG.value, _BATCH_SIZE.value
    torch.set_num_threads(_num_threads())
    cv2.setNumThreads(_num_threads())
    if _CHECK.value:
        torch_equality.check(config)
    if not _RUNS.value:
        return
    ours = OurPrograms(config, count)
    forward, step = peers(config, ours, False)
    programs = {OURS: compiler_options(), f"{OURS}, XLA's defaults": None}
    forwards = {name: ours.forward(options) for name, options in programs.items()}
    steps = {name: ours.step(options) for name, options in programs.items()}
    forwards[PEER], steps[PEER] = forward, step
    if _COMPILE.value:
        name = f"{PEER}, compiled"
        forwards[name], steps[name] = peers(config, ours, True)
    if not _on_gpu():
        forwards["ONNX Runtime"] = ours.onnx_forward(_num_threads())
    report("forward", forwards, count_flops(forward))
    report("step", steps, count_flops(step))


def _on_gpu() -> bool:
    return jax.default_backend() == "gpu" and torch.cuda.is_available()


def _wait() -> None:
    if _on_gpu():
        torch.cuda.synchronize()


def _num_threads() -> int:
    """Threads of PyTorch and ONNX Runtime; XLA has as many."""
    return len(os.sched_getaffinity(0))


if __name__ == "__main__":
    torch.backends.cuda.matmul.allow_tf32 = True  # as JAX
    torch._functorch.config.donated_buffer = False  # two gradients of one graph
    app.run(main)
