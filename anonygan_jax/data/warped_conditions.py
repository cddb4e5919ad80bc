"""Warped conditions for training: sources with the faces of conditions warped in."""

import signal

import jax
import numpy as np

from anonygan_jax.faces import warping
from anonygan_jax.faces.masks import FACE_CONTOUR, face_mask
from anonygan_jax.io.worker_pool import WorkerPool

PAIRS_PER_CALL = 8  # of a process


def warp_conditions(
    condition: np.ndarray,
    condition_points_xy: np.ndarray,
    source: np.ndarray,
    source_points_xy: np.ndarray,
) -> np.ndarray:
    """Returns the sources with the faces of the conditions warped in.

    A source whose face mask is empty is unchanged.

    Args:
      condition, source: uint8 [B, H, W, 3].
      condition_points_xy, source_points_xy: float32 [B, 68, 2], pixels.

    Returns:
      uint8 [B, H, W, 3].
    """
    masks = np.asarray(face_mask(source_points_xy, source.shape[1:3], FACE_CONTOUR))
    warped_conditions = source.copy()
    for i, mask in enumerate(masks[..., 0]):
        if mask.any():
            warped_conditions[i] = warping.warp_onto(
                condition[i],
                condition_points_xy[i],
                source[i],
                source_points_xy[i],
                mask,
            )
    return warped_conditions


class WarpPool:
    """Processes that warp conditions: for GPUs, threads of one process are too slow."""

    def __init__(self, num_workers: int) -> None:
        """Prepares the processes; they start with the first batch.

        They end with this process.

        Args:
          num_workers: number of processes, at least 1.
        """
        self._pool = WorkerPool.in_processes(_prepare_process, num_workers)

    def __call__(self, *fields: np.ndarray) -> np.ndarray:
        """Returns as `warp_conditions`; several threads may call at once."""
        starts = range(0, len(fields[0]), PAIRS_PER_CALL)
        parts = ([x[i : i + PAIRS_PER_CALL] for x in fields] for i in starts)
        return np.concatenate(list(self._pool.map(_warp_part, parts)))


def _prepare_process() -> None:
    """Leaves accelerators and requests to stop to the training process."""
    jax.config.update("jax_platforms", "cpu")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def _warp_part(_: None, fields: list[np.ndarray]) -> np.ndarray:
    """Some pairs in a worker process."""
    return warp_conditions(*fields)
