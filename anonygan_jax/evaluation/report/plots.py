"""Plots of an evaluation."""

import pathlib

import matplotlib
import numpy as np

matplotlib.use("Agg")
from matplotlib import pyplot
from matplotlib.axes import Axes

from anonygan_jax.evaluation.metrics import estimates
from anonygan_jax.evaluation.metrics.beside import OVER_FLOOR
from anonygan_jax.evaluation.metrics.metric import PERCENT
from anonygan_jax.evaluation.metrics.registry import FIGURES
from anonygan_jax.evaluation.metrics.row import Row
from anonygan_jax.evaluation.metrics.self_reidentification import own_key
from anonygan_jax.evaluation.metrics.verification import tar_key
from anonygan_jax.faces.face import OUTER_EYE_CORNERS
from anonygan_jax.recognition.table import MOBILEFACENET, RECOGNISERS

BARS = (
    *("detected_dlib", "detected_mtcnn", own_key(MOBILEFACENET)),
    *(own_key(MOBILEFACENET) + OVER_FLOOR, tar_key(1e-2, MOBILEFACENET), "pose_l2"),
)
_STROKES = (
    [range(17), range(17, 22), range(22, 27), range(27, 31), range(31, 36)]
    + [[*range(36, 42), 36], [*range(42, 48), 42]]
    + [[*range(48, 60), 48], [*range(60, 68), 60]]
)


def bars(rows: list[Row], path: pathlib.Path) -> None:
    """Draws the main figures of each method with their intervals."""
    shown = [key for key in BARS if any(key in row.measures for row in rows)]
    columns = max(len(shown), 1)
    figure, axes = pyplot.subplots(
        1, columns, figsize=(3 * columns, 0.5 * len(rows) + 1.5), squeeze=False
    )
    for axis, key in zip(axes[0], shown, strict=False):
        _bars_of(axis, key, rows)
    for axis in axes[0][1:]:
        axis.set_yticklabels([])
    _save(figure, path)


def _bars_of(axis: Axes, key: str, rows: list[Row]) -> None:
    """One figure: a bar for each method."""
    factor = 100 if FIGURES[key].form == PERCENT else 1
    none = estimates.nothing()
    found = [row.measures.get(key, none) for row in rows]
    values = factor * np.array([e.value for e in found])
    edges = factor * np.array([(e.low, e.high) for e in found]).reshape(-1, 2)
    errors = np.abs(edges.T - values)
    places = np.arange(len(rows))[::-1]
    axis.barh(places, values, xerr=errors, color="tab:blue", ecolor="0.3", capsize=3)
    axis.set_yticks(places, [row.title for row in rows])
    axis.set_title(
        FIGURES[key].title.replace(", ", ",\n").replace(": ", ":\n"), fontsize=9
    )
    axis.axvline(0, color="0.5", linewidth=0.8)
    if factor == 100:
        axis.xaxis.set_major_formatter("{x:g}%")


def curves(rows: list[Row], path: pathlib.Path) -> None:
    """Draws the ROC of each method: a panel for each recogniser."""
    names = [n for n in RECOGNISERS if any(n in row.curves for row in rows)]
    figure, axes = pyplot.subplots(
        1, len(names), figsize=(5 * len(names), 4.5), squeeze=False
    )
    for axis, name in zip(axes[0], names, strict=True):
        for row in rows:
            if name in row.curves:
                curve = row.curves[name]
                label = f"{row.title} ({curve.area:.3f})"
                axis.step(
                    curve.false_accepts, curve.true_accepts, where="post", label=label
                )
        axis.set_xscale("log")
        axis.set_xlim(1e-3, 1)
        chance = np.geomspace(1e-3, 1)
        axis.plot(chance, chance, color="0.8", linestyle=":")
        axis.set_title(f"{RECOGNISERS[name].title}: second photo anonymised")
        axis.set_xlabel("false accept rate")
        axis.set_ylabel("true accept rate")
        axis.legend(title="method (area)", fontsize=8)
    _save(figure, path)


def landmark_errors(rows: list[Row], face: np.ndarray, path: pathlib.Path) -> None:
    """Draws the mean error of each landmark as a disc on a face, float [68, 2]."""
    shown = [row for row in rows if row.landmark_errors is not None]
    columns = max(len(shown), 1)
    figure, axes = pyplot.subplots(
        1, columns, figsize=(3 * columns, 3.6), squeeze=False
    )
    left, right = OUTER_EYE_CORNERS
    eyes = np.linalg.norm(face[right] - face[left])
    for axis, row in zip(axes[0], shown, strict=False):
        for stroke in _STROKES:
            axis.plot(*face[list(stroke)].T, color="0.8", linewidth=0.8)
        assert row.landmark_errors is not None
        for point, error in zip(face, row.landmark_errors, strict=True):
            radius = float(error * eyes)
            axis.add_patch(pyplot.Circle(point, radius, color="tab:red", alpha=0.5))
        axis.set_title(f"{row.title}: {row.landmark_errors.mean():.3f}")
        axis.set_aspect("equal")
        axis.invert_yaxis()
        axis.axis("off")
    figure.suptitle("mean displacement of each landmark, to scale", fontsize=9)
    _save(figure, path)


def _save(figure: pyplot.Figure, path: pathlib.Path) -> None:
    """Writes a figure and frees its memory."""
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
