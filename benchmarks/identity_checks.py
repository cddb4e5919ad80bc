"""Rules of the check of results, each judged by recognisers that it does not ask.

    python -m benchmarks.identity_checks LFW/images --count 200 --judge mobileface.json

For each photo four conditions are tried, by the network of the package and by `warp`.
A rule takes the first result, or the first beyond fixed distances, or the first beyond
a black patch; or this, and else the farthest of those beyond the fixed ones, as the
tool does. Where a rule takes none, the face is black.
"""

import itertools
import pathlib
from collections.abc import Callable

import click
import tqdm

from anonygan_jax.anonymise.anonymiser import Anonymiser
from anonygan_jax.anonymise.crop import crop_face, paste_face
from anonygan_jax.anonymise.identity_check import Distances, beyond_floor, passes
from anonygan_jax.anonymise.replace import describe_source
from anonygan_jax.methods.blackout import Blackout
from anonygan_jax.methods.method import Replacer
from anonygan_jax.recognition.table import DLIB, MOBILEFACENET
from anonygan_jax.recognition.thresholds import ENOUGH_DISTANCES
from benchmarks import photo_pairs
from benchmarks.photo_pairs import Descriptors, Pair

NUM_CONDITIONS = 4
CHECKS = ((DLIB,), (MOBILEFACENET,), (DLIB, MOBILEFACENET))
METHODS = (("warp",), ("anonygan",), ("anonygan", "warp"))

Candidate = tuple[str, Descriptors]  # method, descriptors of the result
# The number of the result that a rule takes, of distances and floors; None for none.
Rule = Callable[[list[Distances], Distances], int | None]


def _first(distances: list[Distances], floors: Distances) -> int | None:
    """Whatever it is."""
    return 0


def _fixed(distances: list[Distances], floors: Distances) -> int | None:
    """The first beyond fixed distances."""
    return next((n for n, d in enumerate(distances) if passes(d, _fixed_of(d))), None)


def _floor(distances: list[Distances], floors: Distances) -> int | None:
    """The first beyond the black patch."""
    far = [beyond_floor(d, floors) for d in distances]
    return next((n for n, by in enumerate(far) if by >= 0), None)


def _floor_or_farthest(distances: list[Distances], floors: Distances) -> int | None:
    """That, or the farthest of those that pass."""
    far = {n: beyond_floor(d, floors) for n, d in enumerate(distances)}
    passing = [n for n, d in enumerate(distances) if passes(d, floors)]
    first = _floor(distances, floors)
    return (
        first if first is not None else max(passing, key=lambda n: far[n], default=None)
    )


RULES = {
    "first": _first,
    "fixed": _fixed,
    "floor": _floor,
    "floor or farthest": _floor_or_farthest,
}


def _fixed_of(distances: Distances) -> Distances:
    return {name: ENOUGH_DISTANCES[name] for name in distances}


@click.command()
@click.argument("photos", type=click.Path(path_type=pathlib.Path, exists=True))
@click.option("--count", default=200, help="People.")
@click.option("--judge", type=click.Path(path_type=pathlib.Path, exists=True))
def main(photos: pathlib.Path, count: int, judge: pathlib.Path | None) -> None:
    """Prints a line for each rule, check and methods."""
    anonymiser, asked = Anonymiser("auto"), photo_pairs.recognisers(judge)
    pairs = photo_pairs.photo_pairs(photos, count, anonymiser.detector)
    originals, others, black, tried = [], [], [], []
    for number, pair in enumerate(tqdm.tqdm(pairs)):
        points, other = pair.face.points_xy, pair.other_face.points_xy
        originals.append(photo_pairs.described(pair.photo, points, asked))
        others.append(photo_pairs.described(pair.other, other, asked))
        patched, candidates = _candidates(anonymiser, pair, str(number), asked)
        black.append(patched)
        tried.append(candidates)
    photo_pairs.header(list(asked))
    photo_pairs.row("black", black, originals, others)
    for methods, rule, check in itertools.product(METHODS, RULES, CHECKS):
        taken, failed, count = [], 0, 0
        for candidates, original, patched in zip(tried, originals, black, strict=True):
            own = [seen for method, seen in candidates if method in methods]
            distances = [_apart(seen, original, check) for seen in own]
            choice = RULES[rule](distances, _apart(patched, original, check))
            failed += choice is None
            count += len(own) if choice is None else choice + 1
            taken.append(patched if choice is None else own[choice])
        title = (
            f"{'+'.join(methods)}, {rule}, {'+'.join(check)}: "
            f"{failed / len(pairs):.1%} none, place {count / len(pairs):.2f}"
        )
        photo_pairs.row(title, taken, originals, others)


def _candidates(
    anonymiser: Anonymiser, pair: Pair, seed: str, asked: dict
) -> tuple[Descriptors, list[Candidate]]:
    """The face under a black patch, and made anew with several conditions."""
    assert anonymiser.conditions
    points = pair.face.points_xy
    source = describe_source(pair.photo, points, anonymiser.check)
    crop = crop_face(pair.photo, pair.face, anonymiser.methods[0])
    patched = pair.photo.copy()
    paste_face(patched, Blackout()(crop.faces)[0], crop)
    made: list[Candidate] = []
    tried: set[str] = set()
    for _ in range(NUM_CONDITIONS):
        selected = anonymiser.conditions.select(
            source, seed, frozenset(tried), prefer_dissimilar=bool(tried)
        )
        tried.add(selected.person)
        condition = anonymiser.conditions.get(selected.number)
        for method in anonymiser.methods:
            assert isinstance(method, Replacer)
            result = pair.photo.copy()
            paste_face(result, method(crop.faces, condition)[0], crop)
            made.append((method.name, photo_pairs.described(result, points, asked)))
    return photo_pairs.described(patched, points, asked), made


def _apart(a: Descriptors, b: Descriptors, check: tuple[str, ...]) -> Distances:
    return {name: float(((a[name] - b[name]) ** 2).sum() ** 0.5) for name in check}


if __name__ == "__main__":
    main()
