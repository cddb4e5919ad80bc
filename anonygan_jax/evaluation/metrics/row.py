"""Rows of the report: all figures of one folder of results."""

import dataclasses

import numpy as np

from anonygan_jax.evaluation.collect.features import NotEnoughError
from anonygan_jax.evaluation.collect.measurement import FolderMeasurement
from anonygan_jax.evaluation.collect.pair_lists import PairList
from anonygan_jax.evaluation.metrics import face_shape, registry, verification
from anonygan_jax.evaluation.metrics.estimates import Estimate
from anonygan_jax.evaluation.metrics.gallery import Gallery
from anonygan_jax.evaluation.metrics.metric import (
    ORIGINALS,
    RESULTS,
    SUBGROUPS,
    MetricInputs,
)
from anonygan_jax.evaluation.metrics.reidentification import Curve
from anonygan_jax.evaluation.metrics.subgroups import ApparentGroup, names_by_subgroup

Galleries = dict[str, Gallery]  # by recogniser


@dataclasses.dataclass(frozen=True)
class Row:
    """Figures of one method.

    Attributes:
      measures: estimates by key, see `registry.FIGURES`.
      curves: by recogniser, ROC of pairs whose second photo is a result.
      landmark_errors: float32 [68], mean displacement over interocular distance; None
        where no face is detected.
      remarks: what a reader of the figures must know.
      subgroups: title -> estimates of the faces of a subgroup, by key.
      region: of the mask in which the floor's patch is; see `faces.masks`.
    """

    title: str
    measures: dict[str, Estimate]
    curves: dict[str, Curve]
    landmark_errors: np.ndarray | None
    remarks: list[str]
    subgroups: dict[str, dict[str, Estimate]] = dataclasses.field(default_factory=dict)
    region: str | None = None


def originals_row(
    originals: FolderMeasurement, gallery: Galleries, pairs: PairList | None
) -> Row:
    """Returns the sanity row: the recognisers on unchanged photos."""
    inputs = MetricInputs(originals, originals, gallery, pairs=pairs)
    measures = registry.measure(inputs, ORIGINALS)
    return Row("original", measures, verification.curves(inputs), None, [])


def method_row(
    title: str,
    originals: FolderMeasurement,
    results: FolderMeasurement,
    gallery: Galleries,
    floor: FolderMeasurement,
    region: str,
    pairs: PairList | None,
    apparent_group: ApparentGroup | None = None,
) -> Row:
    """Returns the figures of a method's results.

    Args:
      title: of the row.
      originals: that were anonymised.
      results: of the method.
      gallery: by recogniser, all originals.
      floor: of the originals with a black patch in the method's mask.
      region: of that mask.
      pairs: for verification.
      apparent_group: names the group that a descriptor looks like, if any is known.

    Raises:
      NotEnoughError: there are fewer than two results.
    """
    inputs = MetricInputs(originals, results, gallery, floor, pairs)
    _check(title, inputs)
    before = {name: originals.observations[name] for name in results.comparisons}
    parts = names_by_subgroup(before, apparent_group)
    return Row(
        title,
        registry.measure(inputs, RESULTS),
        verification.curves(inputs),
        face_shape.mean_landmark_errors(results),
        registry.remarks(inputs, RESULTS),
        {
            part: registry.measure(
                MetricInputs(
                    originals, results.part(names), gallery, floor.part(names)
                ),
                SUBGROUPS,
            )
            for part, names in parts.items()
        },
        region,
    )


def _check(title: str, inputs: MetricInputs) -> None:
    """Refuses results that are too few to measure."""
    results = inputs.results
    if len(results.observations) < 2:
        raise NotEnoughError(
            f"{title}: {len(results.observations)} results whose originals show a "
            "face; at least 2 are needed"
        )
