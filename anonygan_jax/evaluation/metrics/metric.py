"""What a metric is: its figures, how they are written, and how they are measured."""

import dataclasses
from collections.abc import Callable

from anonygan_jax.evaluation.collect.measurement import FolderMeasurement
from anonygan_jax.evaluation.collect.pair_lists import PairList
from anonygan_jax.evaluation.metrics.estimates import Estimate
from anonygan_jax.evaluation.metrics.gallery import Gallery

PERCENT, NUMBER, DEGREES = "percent", "number", "degrees"  # forms of a figure
# What is measured: unchanged photos; results; the results of each subgroup.
ORIGINALS, RESULTS, SUBGROUPS = "originals", "results", "subgroups"
EVERY_FACE = frozenset((RESULTS, SUBGROUPS))  # of metrics that measure face by face


@dataclasses.dataclass(frozen=True)
class Figure:
    """Title and format of a figure.

    Attributes:
      title: its row's title in the report.
      form: PERCENT, NUMBER or DEGREES.
      digits: after the point.
    """

    title: str
    form: str = PERCENT
    digits: int = 1


@dataclasses.dataclass(frozen=True)
class MetricInputs:
    """What metrics are computed from.

    Attributes:
      originals: measurements of the originals that were anonymised.
      results: of the results; for ORIGINALS those of the originals again.
      gallery: by recogniser, all originals that an attacker has: those, and others.
      floor: of the originals with a black patch in the mask of the results' method;
        None for ORIGINALS.
      pairs: photo pairs for verification, if there are any.
    """

    originals: FolderMeasurement
    results: FolderMeasurement
    gallery: dict[str, Gallery]
    floor: FolderMeasurement | None = None
    pairs: PairList | None = None


def no_remarks(_: MetricInputs) -> list[str]:
    """Returns no remark."""
    return []


@dataclasses.dataclass(frozen=True)
class Metric:
    """A metric of anonymised photos.

    Attributes:
      figures: by key, in the order of the report.
      measure: returns estimates by key; none of what the inputs do not allow.
      scopes: what it measures: some of ORIGINALS, RESULTS, SUBGROUPS.
      remarks: returns what a reader of the figures must know.
    """

    figures: dict[str, Figure]
    measure: Callable[[MetricInputs], dict[str, Estimate]]
    scopes: frozenset[str] = frozenset((RESULTS,))
    remarks: Callable[[MetricInputs], list[str]] = no_remarks
