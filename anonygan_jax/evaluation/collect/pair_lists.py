"""Lists of photo pairs in LFW's format: pairs.txt and pairsDevTrain.txt."""

import dataclasses
import pathlib
from collections.abc import Iterable, Set

import numpy as np

from anonygan_jax.evaluation.collect.folders import Problem

NUM_FOLDS = 10
MOST_DIGITS = 9  # of a number


class PairListError(ValueError):
    """A file that is no list of pairs; the message has the line's number."""


@dataclasses.dataclass(frozen=True)
class PairList:
    """Pairs of photos of one person or of two people.

    Attributes:
      first, second: names of the photos without suffix, "NAME/NAME_0001".
      same: bool [N], both photos show one person.
      fold: int [N], 0 to 9.
    """

    first: list[str]
    second: list[str]
    same: np.ndarray
    fold: np.ndarray

    def __len__(self) -> int:
        return len(self.first)

    def photos(self) -> set[str]:
        """Returns the names of all photos."""
        return {*self.first, *self.second}

    def thinned(self, max_photos: int) -> "PairList":
        """Returns pairs spread evenly over the list, of at most `max_photos` photos."""
        for step in range(1, len(self) + 1):
            chosen = self._take(list(range(0, len(self), step)))
            if len(chosen.photos()) <= max_photos:
                return chosen
        return self._take([])

    def among(self, first: Set[str], second: Set[str]) -> "PairList":
        """Returns the pairs whose first photo is in `first` and second in `second`."""
        kept = [
            i
            for i, (a, b) in enumerate(zip(self.first, self.second, strict=True))
            if a in first and b in second
        ]
        return self._take(kept)

    def chosen(
        self, photos: dict[str, pathlib.Path]
    ) -> tuple[dict[str, pathlib.Path], list[Problem]]:
        """Returns the photos of the pairs by name, and a problem for each missing one.

        Raises:
          PairListError: no pair has both of its photos.
        """
        wanted = self.photos()
        problems = [
            Problem(name, "named in the pairs, but not there")
            for name in sorted(wanted - photos.keys())
        ]
        found = {name: photos[name] for name in sorted(wanted & photos.keys())}
        if not len(self.among(found.keys(), found.keys())):
            raise PairListError(
                f"none of the {len(self)} pairs has both of its photos there; a photo "
                "is called NAME/NAME_0001"
            )
        return found, problems

    def _take(self, kept: list[int]) -> "PairList":
        """The pairs with some indices."""
        return PairList(
            [self.first[i] for i in kept],
            [self.second[i] for i in kept],
            self.same[kept],
            self.fold[kept],
        )


def read_pairs(path: str | pathlib.Path) -> PairList:
    """Returns the pairs of a file.

    The first line is "10 300" (folds, pairs of a kind in each) or, in the development
    files, "1100" (pairs of a kind). Pairs of the second form are divided here into ten
    folds of consecutive pairs. The next lines, fold by fold, are "NAME i j" for two
    photos of one person or "NAME i OTHER j" for photos of two people.

    Raises:
      PairListError: the file cannot be read, or a line has another format.
    """
    try:
        lines = pathlib.Path(path).read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise PairListError(f"{path}: cannot be read ({error})") from error
    rows = [(n, line.split()) for n, line in enumerate(lines, 1) if line.strip()]
    if not rows or not all(_is_number(word) for word in rows[0][1]):
        raise PairListError(f"{path}: line 1 must say how many pairs there are")
    pairs = [_pair(path, number, words) for number, words in rows[1:]]
    same = np.array([len(words) == 3 for _, words in rows[1:]], bool)
    header = [int(word) for word in rows[0][1]]
    folds, size = header if len(header) == 2 else (1, header[0])
    if len(pairs) != 2 * folds * size:
        raise PairListError(
            f"{path}: {len(pairs)} pairs, but line 1 promises {2 * folds * size}"
        )
    fold = np.arange(len(pairs)) // (2 * size)
    if folds == 1:
        # The same number of each kind in every fold, in the file's order.
        place = np.where(same, np.cumsum(same), np.cumsum(~same)) - 1
        fold = place * NUM_FOLDS // max(size, 1)
    first, second = zip(*pairs, strict=True) if pairs else ((), ())
    return PairList(list(first), list(second), same, fold)


def person(name: str) -> str:
    """Returns the identity of a photo: the name of its folder, else its own name."""
    return name.rpartition("/")[0] or name


def other_photos(names: Iterable[str]) -> dict[str, str]:
    """Returns another photo of the person of each photo: the next one by name.

    After the last comes the first. Photos of people without another one are left out.
    """
    photos: dict[str, list[str]] = {}
    for name in sorted(names):
        photos.setdefault(person(name), []).append(name)
    return {
        name: own[(place + 1) % len(own)]
        for own in photos.values()
        if len(own) > 1
        for place, name in enumerate(own)
    }


def pairs_of(known: Set[str], probes: Set[str]) -> PairList | None:
    """Returns pairs for probes whose person has another photo, where no list is given.

    Each probe is second in a pair with that other photo, and in one with a photo of
    another person. People are shared out over the folds.

    Args:
      known: names of photos that may be first.
      probes: names, also of `known`.

    Returns:
      The pairs; None where there are none.
    """
    other, names = other_photos(known), sorted(known)
    people = {
        owner: number for number, owner in enumerate(sorted(set(map(person, names))))
    }
    tested = sorted(probes & other.keys())
    if not tested or len(people) < 2:
        return None
    strangers = [_stranger(name, names) for name in tested]
    fold = np.array([people[person(name)] % NUM_FOLDS for name in tested])
    return PairList(
        [other[name] for name in tested] + strangers,
        tested + tested,
        np.arange(2 * len(tested)) < len(tested),
        np.tile(fold, 2),
    )


def _stranger(name: str, names: list[str]) -> str:
    """A photo of another person, half of the names away."""
    start = names.index(name) + len(names) // 2
    turned = (names[(start + step) % len(names)] for step in range(len(names)))
    return next(found for found in turned if person(found) != person(name))


def _pair(path: str | pathlib.Path, number: int, words: list[str]) -> tuple[str, str]:
    """The two names of a line."""
    if len(words) == 3:
        words = [words[0], words[1], words[0], words[2]]
    if len(words) != 4 or not (_is_number(words[1]) and _is_number(words[3])):
        raise PairListError(
            f"{path}: line {number} is neither 'NAME i j' nor 'NAME i OTHER j'"
        )
    return _photo(words[0], words[1]), _photo(words[2], words[3])


def _is_number(word: str) -> bool:
    """Whether a word is a count; "²" is a digit, but no number."""
    return word.isdecimal() and len(word) <= MOST_DIGITS


def _photo(person: str, number: str) -> str:
    """LFW's name of a photo."""
    return f"{person}/{person}_{int(number):04d}"
