"""What is to be done with the faces of a photo: whose face each of them gets."""

import dataclasses
from typing import Protocol

import numpy as np

from anonygan_jax.anonymise.conditions.selector import NoConditionError, Source
from anonygan_jax.anonymise.errors import try_face
from anonygan_jax.anonymise.policy import Decision
from anonygan_jax.anonymise.replace import FaceReplacer
from anonygan_jax.anonymise.results import FoundFace, Plan, Suggestion


class PersonFor(Protocol):
    """Gives the person whose face a source gets; see `Anonymiser.person_for`."""

    def __call__(
        self,
        source: Source,
        seed: str,
        in_same_frame: set[str],
        suggested: str | None = None,
    ) -> str | None: ...


def with_suggestions(
    photo: np.ndarray,
    found: list[FoundFace],
    decisions: list[Decision],
    replacer: FaceReplacer,
    seed: str,
) -> list[FoundFace]:
    """Returns the faces of a photo, those to hide with whose face fits each best.

    For the first time that a person is met: later photos of the person get the same,
    whatever fits there.

    Args:
      photo: uint8 [H, W, 3].
      decisions: whether each face is hidden.
    """
    return [
        _with_suggestion(photo, one, replacer, f"{seed}#{number}")
        if decision.hidden
        else one
        for number, (one, decision) in enumerate(zip(found, decisions, strict=True))
    ]


def _with_suggestion(
    photo: np.ndarray, found: FoundFace, replacer: FaceReplacer, seed: str
) -> FoundFace:
    """A face and whose face fits it best."""
    source = found.source
    if source is None:
        return found
    views = [(photo, found.face)]
    made, _ = try_face(lambda: replacer.best(views, source, None, seed)[0])
    if made is None:  # rendering tries again, and reports why it fails
        return found
    suggested = Suggestion(
        made.method.name, made.condition, made.distances, made.floors
    )
    return dataclasses.replace(found, suggested=suggested)


def plan_faces(
    found: list[FoundFace],
    decisions: list[Decision],
    person_for: PersonFor | None,
    seed: str,
) -> list[Plan]:
    """Returns what is to be done with the faces of a photo.

    Args:
      decisions: whether each face is hidden.
      person_for: None of an obfuscator.
    """
    plans: list[Plan] = []
    for number, (one, decision) in enumerate(zip(found, decisions, strict=True)):
        in_same_frame = {plan.person for plan in plans if plan.person}
        face_seed = f"{seed}#{number}"
        plans.append(_plan(one, decision, person_for, face_seed, in_same_frame))
    people = {plan.person for plan in plans if plan.person}
    return [
        dataclasses.replace(plan, avoided=frozenset(people - {plan.person}))
        for plan in plans
    ]


def _plan(
    found: FoundFace,
    decision: Decision,
    person_for: PersonFor | None,
    seed: str,
    in_same_frame: set[str],
) -> Plan:
    """What is to be done with one face."""
    source, person = found.source, None
    if decision.hidden and source and person_for and found.reason is None:
        try:
            best = found.suggested.condition.person if found.suggested else None
            person = person_for(source, seed, in_same_frame, best)
        except NoConditionError as error:
            found = dataclasses.replace(found, reason=str(error))
    return Plan(found, decision, person, seed)
