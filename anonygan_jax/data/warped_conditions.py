"""Priors: the sources with the conditions' faces warped into them, for training."""

import concurrent.futures
import multiprocessing
import multiprocessing.connection
import os
import signal
import threading

import cv2
import jax
import numpy as np

from anonygan_jax.faces import warping
from anonygan_jax.faces.masks import FACE_CONTOUR, face_mask

PART = 8  # pairs that a process is given at a time

_masks = jax.jit(face_mask, static_argnums=(1, 2))


def draw_priors(
    condition: np.ndarray,
    condition_points: np.ndarray,
    source: np.ndarray,
    source_points: np.ndarray,
) -> np.ndarray:
    """Returns the sources with the conditions' faces warped in; fields as PairBatch.

    A source whose mask lies outside its picture stays as it is: nothing is hidden.
    """
    masks = np.asarray(_masks(source_points, source.shape[1:3], FACE_CONTOUR))[..., 0]
    warped_conditions = source.copy()
    for i, mask in enumerate(masks):
        if mask.any():
            warped_conditions[i] = warping.warp_onto(
                condition[i], condition_points[i], source[i], source_points[i], mask
            )
    return warped_conditions


class PriorPool:
    """Processes that draw priors: a GPU wants more than threads of one process make."""

    def __init__(self, num_workers: int) -> None:
        """Starts them with the first batch; they end with this process."""
        self._pool = concurrent.futures.ProcessPoolExecutor(
            num_workers, multiprocessing.get_context("spawn"), _start_worker
        )

    def __call__(self, *fields: np.ndarray) -> np.ndarray:
        """Returns what `draw_priors` does; several threads may ask at once."""
        parts = [
            self._pool.submit(draw_priors, *(x[i : i + PART] for x in fields))
            for i in range(0, len(fields[0]), PART)
        ]
        return np.concatenate([part.result() for part in parts])


def _start_worker() -> None:
    """Leaves accelerators, other cores and requests to stop to the training process."""
    jax.config.update("jax_platforms", "cpu")
    cv2.setNumThreads(1)
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """The pool would wait for ever for a parent that was killed."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    multiprocessing.connection.wait([parent.sentinel])
    os._exit(1)
