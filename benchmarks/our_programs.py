"""Our generator and training step on noise, compiled for timings."""

import functools
import pathlib
import tempfile
from collections.abc import Callable
from typing import Any

import jax
import ml_collections
import numpy as np

from anonygan_jax.data.batches import PairBatch
from anonygan_jax.io.onnx_file import OnnxFile
from anonygan_jax.systems.anonygan import AnonyGAN, Pair
from anonygan_jax.systems.train_state import TrainState
from anonygan_jax.training import factory
from anonygan_jax.weights.checkpoint_folder import ONNX_FILE
from anonygan_jax.weights.onnx_export import write_onnx
from benchmarks.random_pairs import random_batch

Program = Callable[[], object]
Options = dict[str, str | bool] | None  # of XLA


class OurPrograms:
    """Makes functions without arguments.

    Attributes:
      batch, pair: noise.
      state: of the run; steps change it.
    """

    def __init__(self, config: ml_collections.ConfigDict, batch_size: int) -> None:
        """Draws weights and a batch.

        Args:
          config: of a run of AnonyGAN.
          batch_size: pairs.
        """
        self._config, self._step = config, factory.make_train_step(config)
        self._key = jax.random.key(0, impl=factory.RNG_IMPL)
        self.batch: PairBatch = random_batch(config, batch_size)
        self.state: TrainState = jax.jit(self._step.init)(self._key, self.batch)
        assert isinstance(self._step.system, AnonyGAN)
        self._system = self._step.system
        self.pair: Pair = jax.jit(self._system.prepare)(self.batch)

    def forward(self, options: Options) -> Program:
        """Returns the generator, compiled with options of XLA."""
        arguments = self.state.generator_variables(), self.pair
        lowered = jax.jit(self._system.generate).lower(*arguments)
        return functools.partial(lowered.compile(options), *arguments)

    def onnx_forward(self, num_threads: int) -> Program:
        """Returns the generator in ONNX Runtime."""
        variables, batch, pair = self.state.generator_variables(), self.batch, self.pair
        points = batch.condition_points_xy, batch.source_points_xy
        inputs = [pair.condition, pair.masked_source, *points, pair.warped_condition]
        arrays = [np.asarray(array) for array in inputs if array is not None]
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            write_onnx(folder, self._config.to_dict(), variables, 0)
            network = OnnxFile(folder / ONNX_FILE, num_threads)
            network(*arrays)  # it is loaded
        return functools.partial(network, *arrays)

    def step(self, options: Options) -> Program:
        """Returns the training step, compiled with options of XLA."""
        arguments = self._key, self.state, self.batch
        compiled: Any = factory.lower_step(self._step, *arguments).compile(options)

        def take() -> None:  # the buffers of the state are donated
            self.state = jax.block_until_ready(compiled(self.state, self.batch)[0])

        return take
