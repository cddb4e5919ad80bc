"""Warped conditions for training: sources with the faces of conditions warped in."""

import signal

import jax
import numpy as np

from anonygan_jax.data.spoiled_conditions import spoil
from anonygan_jax.faces import warping
from anonygan_jax.faces.masks import FACE_CONTOUR, face_mask
from anonygan_jax.io.worker_pool import WorkerPool

PAIRS_PER_CALL = 8  # of a process
NOT_SPOILED = -1

Prepared = tuple[np.ndarray, np.ndarray, np.ndarray]


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
    masks = face_mask(source_points_xy, source.shape[1:3], FACE_CONTOUR)
    warped_conditions = source.copy()
    for i, mask in enumerate(masks):
        if mask.any():
            warped_conditions[i] = warping.warp_onto(
                condition[i],
                condition_points_xy[i],
                source[i],
                source_points_xy[i],
                mask,
            )
    return warped_conditions


def prepare_conditions(
    condition: np.ndarray,
    condition_points_xy: np.ndarray,
    source: np.ndarray,
    source_points_xy: np.ndarray,
    seeds: np.ndarray,
) -> Prepared:
    """Returns conditions, some of them spoiled, and the sources with their faces.

    Args:
      condition, source: uint8 [B, H, W, 3].
      condition_points_xy, source_points_xy: float32 [B, 68, 2], pixels.
      seeds: int64 [B], of the draws of `spoil`; NOT_SPOILED for conditions to keep.

    Returns:
      Conditions, uint8 [B, H, W, 3]; their landmarks, float32 [B, 68, 2]; warped
      conditions, uint8 [B, H, W, 3].
    """
    condition, condition_points_xy = condition.copy(), condition_points_xy.copy()
    for i in np.nonzero(seeds != NOT_SPOILED)[0]:
        condition[i], condition_points_xy[i] = spoil(
            condition[i], condition_points_xy[i], np.random.default_rng(seeds[i])
        )
    warped = warp_conditions(condition, condition_points_xy, source, source_points_xy)
    return condition, condition_points_xy, warped


class WarpPool:
    """Processes that warp conditions: for GPUs, threads of one process are too slow."""

    def __init__(self, num_workers: int) -> None:
        """Prepares the processes; they start with the first batch.

        They end with this process.

        Args:
          num_workers: number of processes, at least 1.
        """
        self._pool = WorkerPool.in_processes(prepare_process, num_workers)

    def __call__(self, *fields: np.ndarray) -> Prepared:
        """Returns as `prepare_conditions`; several threads may call at once."""
        starts = range(0, len(fields[0]), PAIRS_PER_CALL)
        parts = ([x[i : i + PAIRS_PER_CALL] for x in fields] for i in starts)
        condition, points, warped = zip(
            *self._pool.map(_prepare_part, parts), strict=True
        )
        return np.concatenate(condition), np.concatenate(points), np.concatenate(warped)


def prepare_process() -> None:
    """Leaves accelerators and requests to stop to the training process.

    A process calls this before it makes batches or warps conditions.
    """
    jax.config.update("jax_platforms", "cpu")
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)


def _prepare_part(_: None, fields: list[np.ndarray]) -> Prepared:
    """Some pairs in a worker process."""
    return prepare_conditions(*fields)
