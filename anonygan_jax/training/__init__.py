"""The training loop: factory, step, state, checkpoints, metrics."""
