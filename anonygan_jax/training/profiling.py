"""Throughput, model FLOPs utilisation and profiles of a run."""

import contextlib
import logging
import pathlib
import time

import jax

from anonygan_jax.io.paths import write_warnings
from anonygan_jax.io.staged_folder import StagedFolder
from anonygan_jax.training.accelerator_specs import CHIPS

logger = logging.getLogger(__name__)

PROFILE = "profile"  # folder in the workdir


class Throughput:
    """Speed between two readings."""

    def __init__(self, batch_size: int, flops: float, device_kind: str) -> None:
        """Begins without a reading.

        Args:
          batch_size: pairs of a step.
          flops: FLOPs of one device in a step, by XLA.
          device_kind: JAX's name of the device.
        """
        self._batch_size, self._flops = batch_size, flops
        self._chip = CHIPS.get(device_kind)
        self._step: int | None = None
        self._time = 0.0

    def read(self, step: int) -> dict[str, float]:
        """Returns speeds since the last reading; none at the first.

        Returns:
          "steps_per_second", "pairs_per_second", and "mfu", the share of the device's
          peak in bfloat16, for devices in `CHIPS`.
        """
        before, then = self._step, self._time
        self._step, self._time = step, time.monotonic()
        if before is None:
            return {}
        rate = (step - before) / (self._time - then)
        speeds = {"steps_per_second": rate, "pairs_per_second": rate * self._batch_size}
        if self._chip is not None:
            speeds["mfu"] = rate * self._flops / self._chip.peak
        return speeds


class Profiler:
    """Records a profile of some steps for TensorBoard, XProf or Perfetto."""

    def __init__(self, workdir: pathlib.Path, steps: tuple[int, int] | None) -> None:
        """Takes the steps to record.

        Args:
          workdir: of the run; the profile is written to `PROFILE` in it.
          steps: first and last one, from 1; None for no profile.
        """
        self._folder, self._steps = workdir / PROFILE, steps
        self._staged: StagedFolder | None = None  # while it records

    def before(self, step: int) -> None:
        """Starts recording before the first of the steps."""
        if self._steps and step == self._steps[0]:
            self._staged = StagedFolder(self._folder)
            jax.profiler.start_trace(str(self._staged.path))

    def after(self, step: int, state: object) -> None:
        """Stops recording after the last of the steps, when its state is computed."""
        if self._staged and self._steps and step >= self._steps[1]:
            jax.block_until_ready(state)
            self.close()

    def close(self) -> None:
        """Writes what was recorded, also if the run ends before the last step."""
        if self._staged:
            staged, self._staged = self._staged, None
            with contextlib.closing(staged), write_warnings():
                jax.profiler.stop_trace()
                staged.publish()
                logger.info("profile in %s", self._folder)


def profile_steps(text: str) -> tuple[int, int] | None:
    """Returns first and last step of "FIRST-LAST"; None for "".

    Raises:
      ValueError: the text has another form, or not 1 <= FIRST <= LAST.
    """
    if not text:
        return None
    try:
        first, last = (int(number) for number in text.split("-"))
    except ValueError as error:
        raise ValueError(
            f"--profile_steps is {text!r}, wanted FIRST-LAST, as 10-15"
        ) from error
    if not 1 <= first <= last:
        raise ValueError(f"--profile_steps is {text!r}, wanted 1 <= FIRST <= LAST")
    return first, last
