"""The faces of a photo hidden as planned."""

import numpy as np

from anonygan_jax.anonymise.conditions.selector import NoConditionError
from anonygan_jax.anonymise.errors import try_face
from anonygan_jax.anonymise.fallback import pixelate_face
from anonygan_jax.anonymise.proof import NOT_CHANGED, is_changed
from anonygan_jax.anonymise.replace import FaceReplacer, Replacement, obfuscate
from anonygan_jax.anonymise.results import (
    KEPT,
    PIXELATED,
    REPLACED,
    FaceReport,
    Plan,
)
from anonygan_jax.faces import alignment
from anonygan_jax.io.worker_process import sign_of_life
from anonygan_jax.methods.method import Method


def render_faces(
    photo: np.ndarray,
    plans: list[Plan],
    methods: tuple[Method, ...],
    replacer: FaceReplacer | None,
) -> tuple[FaceReport, ...]:
    """Returns the reports of a photo's faces after hiding them in place.

    Faces that can only be pixelated come first, since a pixelated box may overlap
    another face. Of the others the highest-scoring comes last: if one face hides part
    of another, the outline of the hidden one may reach into it.
    """
    ranks = [(plan.found.reason is None, plan.found.face.score) for plan in plans]
    reports: dict[int, FaceReport] = {}
    source = photo.copy()
    for number in sorted(range(len(plans)), key=lambda number: ranks[number]):
        reports[number] = _render_face(photo, source, plans[number], methods, replacer)
        sign_of_life()
    for number, plan in enumerate(plans):
        face = plan.found.face
        if plan.decision.hidden and not is_changed(
            source, photo, face.box_xyxy, face.roll
        ):
            pixelate_face(photo, face)
            report = reports[number]
            reports[number] = FaceReport(
                PIXELATED,
                report.reason or NOT_CHANGED,
                report.box_xyxy,
                reference_distance=report.reference_distance,
            )
    return tuple(reports[number] for number in range(len(plans)))


def _render_face(
    photo: np.ndarray,
    source: np.ndarray,
    plan: Plan,
    methods: tuple[Method, ...],
    replacer: FaceReplacer | None,
) -> FaceReport:
    """The report of one face after hiding it in place, whatever fails."""
    face, reason, decision = plan.found.face, plan.found.reason, plan.decision
    box = tuple(int(v) for v in face.box_xyxy)
    reference = decision.reference_distance
    if not decision.hidden:
        return FaceReport(KEPT, decision.reason, box, reference_distance=reference)
    made = None
    if reason is None:
        if replacer:
            made, reason = try_face(lambda: _replace(photo, source, plan, replacer))
        else:
            _, reason = try_face(lambda: obfuscate(photo, face, methods[0]))
    if reason is not None:
        pixelate_face(photo, face)
        return FaceReport(PIXELATED, reason, box, reference_distance=reference)
    return FaceReport(
        REPLACED,
        None,
        box,
        made.condition.name if made else None,
        made.distances if made else None,
        made.floors if made else None,
        reference,
        (made.method if made else methods[0]).name,
    )


def _replace(
    photo: np.ndarray, source: np.ndarray, plan: Plan, replacer: FaceReplacer
) -> Replacement:
    """Replaces one face in place.

    What was verified where the face was found is not verified again, unless another
    face of the photo has changed there since.
    """
    found, suggested = plan.found, plan.found.suggested
    if found.source is None:
        raise NoConditionError("no descriptor to select a condition by")
    if suggested and suggested.condition.person == plan.person:
        matrix = alignment.celeba_transform(found.face.points_xy, alignment.CELEBA_SIZE)
        seen = alignment.window_in_photo(matrix, alignment.CELEBA_SIZE, photo.shape)
        if np.array_equal(photo[seen], source[seen]):
            replacement = replacer.suggested(suggested)
            replacer.apply(photo, found.face, replacement)
            return replacement
    return replacer.replace(
        photo, found.face, found.source, plan.person, plan.seed, plan.avoided
    )
