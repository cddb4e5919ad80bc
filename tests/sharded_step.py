"""Runs steps on a mesh and writes what comes out; started by test_sharding.py.

    python tests/sharded_step.py SYSTEM OUTPUT NUM_FSDP [PORT PROCESS_ID NUM_PROCESSES]

Devices and precision come from the environment (XLA_FLAGS, JAX_ENABLE_X64).
"""

import pathlib
import sys

import jax

ROOT = pathlib.Path(__file__).parent.parent
sys.path[:0] = [str(ROOT)]


def main(
    system: str, output: str, num_fsdp: str, port: str = "", *process: str
) -> None:
    """Two steps of small networks; of CIAGAN one of each stage."""
    if port:
        process_id, num_processes = (int(word) for word in process)
        address = f"127.0.0.1:{port}"
        jax.distributed.initialize(address, num_processes, process_id)
    import numpy as np
    from jax.experimental import multihost_utils

    from anonygan_jax.training import factory, sharding
    from anonygan_jax.training.device_feed import iterate_on_devices
    from configs import ciagan, composites

    sharding.MIN_SIZE = 64  # so that small parameters are split, too
    config = composites.get_config().unlock()
    if system == "ciagan":
        config = ciagan.get_config("tiny").unlock()
        config.data.directory, config.data.image_size = "embedded", (32, 32)
        config.model.num_blocks = 3
        config.optimiser.num_pretraining_steps, config.optimiser.num_steps = 1, 2
    else:
        config.model.width = config.model.discriminator_width = 4
        config.model.num_blocks, config.model.num_nodes = 1, 8
        config.data.image_size = (48, 48)
        config.model.dropout_rate = 0.5
    config.data.batch_size = 16
    config.data.landmark_jitter = 1.0
    config.data.loader = "device" if int(num_fsdp) > 1 else "memory"
    config.augmentation.flip_share = 0.5
    stages = factory.make_stages(config)
    train_step = stages[-1].train_step
    config.sharding.num_fsdp = int(num_fsdp)
    mesh = factory.make_mesh(config)
    batches = factory.open_batches(config, train_step.system)
    key = jax.random.key(0)
    state = factory.create_state(train_step, key, batches.batch(0), mesh)
    like = sharding.to_devices(batches.batch(0), mesh)
    start = 0
    for stage in stages:
        step = factory.compile_step(stage.train_step, key, state, like)
        for batch in iterate_on_devices(batches, start, min(stage.stop, 2), mesh):
            state, values = step(state, batch)
        start = stage.stop
    split = [x.sharding.spec for x in jax.tree.leaves(state.params)]
    whole = multihost_utils.process_allgather((state, values), tiled=True)
    leaves = {
        jax.tree_util.keystr(path): np.asarray(leaf)
        for path, leaf in jax.tree_util.tree_leaves_with_path(whole)
    }
    leaves["num_split"] = np.array(sum(spec != () for spec in map(tuple, split)))
    leaves["num_devices"] = np.array(jax.device_count())
    if jax.process_index() == 0:
        np.savez(output, allow_pickle=False, **leaves)


if __name__ == "__main__":
    main(*sys.argv[1:])
