"""What is to be done with a tracked face, once all of it has been seen."""

import dataclasses
from collections.abc import Iterable

from anonygan_jax.anonymise.anonymiser import Anonymiser
from anonygan_jax.anonymise.conditions.selector import Source
from anonygan_jax.anonymise.errors import try_face
from anonygan_jax.anonymise.policy import Decision
from anonygan_jax.anonymise.replace import FaceReplacer, Replacement
from anonygan_jax.anonymise.results import NO_LANDMARKS
from anonygan_jax.anonymise.video.person import Person
from anonygan_jax.anonymise.video.track import Track
from anonygan_jax.io.worker_process import sign_of_life
from anonygan_jax.methods.method import MethodError

KEPT_ONCE = "another face at that time is more like the reference photo"


@dataclasses.dataclass(frozen=True)
class TrackPlan:
    """What is to be done with a tracked face.

    Attributes:
      first, last: frames of the first and the last detection.
      box_xyxy: of the last detection, pixels.
      decision: whether the face is hidden.
      replacement: method and condition; None of an obfuscator.
      source: attributes and descriptor; None of an obfuscator.
      lost: first and last second of stretches in which the face was not detected, and
        is pixelated where motion carries it.
      reason: why the face can only be pixelated; None if it can be replaced.
    """

    first: int
    last: int
    box_xyxy: tuple[int, ...]
    decision: Decision
    replacement: Replacement | None
    source: Source | None
    lost: tuple[tuple[float, float], ...]
    reason: str | None


def plan_tracks(
    anonymiser: Anonymiser, ended: Iterable[tuple[Track, Person]], seed: str
) -> dict[int, TrackPlan]:
    """Returns the plans of a video's tracks by number; remembers the people.

    Args:
      ended: tracks and their people, in the order in which they ended.
      seed: of the selection of conditions.
    """
    plans: dict[int, TrackPlan] = {}
    for track, person in ended:
        track_seed = f"{seed}#{track.number}"
        plans[track.number] = plan_track(anonymiser, track, person, plans, track_seed)
        sign_of_life()
    return one_track_each(plans)


def plan_track(
    anonymiser: Anonymiser,
    track: Track,
    person: Person,
    plans: dict[int, TrackPlan],
    seed: str,
) -> TrackPlan:
    """Returns the plan of a track that has ended; remembers the person.

    Args:
      person: seen at least once.
      plans: of other tracks, by number.
      seed: of the selection of conditions.
    """
    assert person.last_seen is not None
    last, _, face = person.last_seen
    decision = person.decision()
    replacement = source = reason = None
    replacer = anonymiser.replacer
    if decision.hidden and replacer:
        in_same_frame = {
            plan.replacement.condition.person
            for plan in plans.values()
            if plan.replacement
            if plan.last >= track.first and plan.first <= track.moved[0]
        }
        made, reason = try_face(
            lambda: _replacement(anonymiser, replacer, person, in_same_frame, seed)
        )
        source, replacement = made or (None, None)
    box = tuple(int(v) for v in face.box_xyxy)
    lost = tuple(person.lost)
    return TrackPlan(
        track.first, last, box, decision, replacement, source, lost, reason
    )


def one_track_each(plans: dict[int, TrackPlan]) -> dict[int, TrackPlan]:
    """Returns the plans of a video's tracks; in no frame a person is kept twice.

    Of tracks that are kept for one person at a time the nearest to the reference
    photos is kept; the others are pixelated.
    """
    kept: list[TrackPlan] = []
    changed = dict(plans)
    for number, plan in sorted(plans.items(), key=lambda item: _distance(item[1])):
        if plan.decision.kept_person is None:
            continue
        if any(_are_one_at_once(plan, other) for other in kept):
            hidden = Decision(True, None, plan.decision.reference_distance)
            changed[number] = dataclasses.replace(
                plan, decision=hidden, reason=KEPT_ONCE
            )
        else:
            kept.append(plan)
    return changed


def _distance(plan: TrackPlan) -> float:
    """Distance to the reference photos; 0 without any."""
    return plan.decision.reference_distance or 0.0


def _are_one_at_once(a: TrackPlan, b: TrackPlan) -> bool:
    """Whether two tracks are kept for one person, and are in one frame."""
    is_one = a.decision.kept_person == b.decision.kept_person
    return is_one and a.first <= b.last and b.first <= a.last


def _replacement(
    anonymiser: Anonymiser,
    replacer: FaceReplacer,
    person: Person,
    in_same_frame: set[str],
    seed: str,
) -> tuple[Source, Replacement]:
    """A person's attributes, and a replacement that passes on the trial crops."""
    if not person.identity_samples:
        raise MethodError(NO_LANDMARKS)
    source, views, memory = person.source(), person.views(), anonymiser.memory
    avoided = frozenset(in_same_frame)
    if memory is None:
        return source, replacer.best(views, source, None, seed, avoided)[0]
    if memory.recall(source.descriptor):
        name = anonymiser.person_for(source, seed, in_same_frame)
        return source, replacer.best(views, source, name, seed, avoided)[0]
    made = replacer.best(views, source, None, seed, avoided)[0]
    suggested = made.condition.person
    name = anonymiser.person_for(source, seed, in_same_frame, suggested)
    if name != suggested:
        made = replacer.best(views, source, name, seed, avoided)[0]
    return source, made
