"""One of two processes that restore a checkpoint; started by test_processes.py.

    python tests/restored_step.py PORT PROCESS_ID WORKDIR

Prints the restored step, or why there is none. Each process has a folder of its own.
"""

import pathlib
import sys

import jax
import jax.numpy as jnp
import numpy as np

from anonygan_jax.systems.train_state import TrainState
from anonygan_jax.training.checkpoints import Checkpoints
from anonygan_jax.weights.checkpoint_folder import CheckpointError

STEPS = (1, 2)
NUM_ARRAYS = 12


def make_state(step: int) -> TrainState:
    """A state of noise, which no compression makes small."""
    rng = np.random.default_rng(step)
    names = [f"layer{n}" for n in range(NUM_ARRAYS)]
    arrays = {n: jnp.asarray(rng.random((30, 40), np.float32)) for n in names}
    return TrainState(
        step=jnp.asarray(step),
        params={"generator": arrays},
        batch_stats={"generator": arrays},
        opt_state={"generator": arrays},
        ema_params=arrays,
    )


def main(port: str, process: str, workdir: str) -> None:
    """Restores the newest step that both processes can read."""
    jax.distributed.initialize(f"127.0.0.1:{port}", 2, int(process))
    checkpoints = Checkpoints(pathlib.Path(workdir), num_kept=len(STEPS))
    try:
        restored = checkpoints.restore_latest(make_state(0))
        print("restored", int(restored.step))
    except CheckpointError as error:
        print("refused", error)
    checkpoints.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
