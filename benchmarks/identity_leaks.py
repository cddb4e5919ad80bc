"""What of a result tells the person: each part of `warp` alone, unchecked.

    python -m benchmarks.identity_leaks LFW/images --count 150 --judge mobileface.json

Each photo's face is made anew with one condition, in variants: the network of the
package; features moved towards the condition's places, with the jaw or without; the
condition's own colours; a band of the forehead inside the mask; other mask sizes. Each
mask is filled with black, too: what surrounds a face tells a little.
"""

import dataclasses
import pathlib
from collections import defaultdict
from collections.abc import Iterator
from unittest import mock

import click
import cv2
import numpy as np
import tqdm

from anonygan_jax.anonymise.anonymiser import Anonymiser
from anonygan_jax.anonymise.crop import Crop, crop_face, paste_face
from anonygan_jax.anonymise.replace import describe_source
from anonygan_jax.faces import alignment, warping
from anonygan_jax.faces.face import JAW
from anonygan_jax.methods.method import Conditions, Method, Replacer
from anonygan_jax.methods.pixelate import Pixelate
from benchmarks import photo_pairs
from benchmarks.photo_pairs import Descriptors, Pair

MOVED = (0.3, 0.6, 1.0)  # shares of the way to the condition's places
BANDS = (0.15, 0.3)  # of the face's width, above the mask
GROWN = (-0.06, 0.06, 0.12)  # likewise, all around

Variant = tuple[str, np.ndarray, np.ndarray]  # title, image, landmarks


@click.command()
@click.argument("photos", type=click.Path(path_type=pathlib.Path, exists=True))
@click.option("--count", default=150, help="People.")
@click.option("--judge", type=click.Path(path_type=pathlib.Path, exists=True))
def main(photos: pathlib.Path, count: int, judge: pathlib.Path | None) -> None:
    """Prints a line for each variant."""
    anonymiser, asked = Anonymiser("auto"), photo_pairs.recognisers(judge)
    seen: dict[str, list[Descriptors]] = defaultdict(list)
    pairs = photo_pairs.photo_pairs(photos, count, anonymiser.detector)
    for number, pair in enumerate(tqdm.tqdm(pairs)):
        made = list(_variants(anonymiser, pair, str(number)))
        made.append(("another photo", pair.other, pair.other_face.points_xy))
        for title, image, points in made:
            seen[title].append(photo_pairs.described(image, points, asked))
    others = seen.pop("another photo")
    photo_pairs.header(list(asked))
    for title, results in seen.items():
        photo_pairs.row(title, results, seen["original"], others)


def _variants(anonymiser: Anonymiser, pair: Pair, seed: str) -> Iterator[Variant]:
    """The face of a photo in all variants."""
    assert anonymiser.conditions
    photo, points = pair.photo, pair.face.points_xy
    source = describe_source(photo, points, anonymiser.check)
    selected = anonymiser.conditions.select(source, seed)
    condition = anonymiser.conditions.get(selected.number)
    network, warp = map(_replacer, anonymiser.methods)
    crop = crop_face(photo, pair.face, warp)
    yield "original", photo, points
    yield "pixelate", _obfuscated(photo, pair), points
    yield "black", _pasted(photo, _black(crop), crop), points
    yield "warp", _pasted(photo, warp(crop.faces, condition)[0], crop), points
    yield "network", _pasted(photo, network(crop.faces, condition)[0], crop), points
    for jaw in (False, True):
        for part in MOVED:
            moved = _moved(crop, condition, part, jaw)
            title = f"features{' and jaw' * jaw} {part:.0%}"
            yield title, *_warped(photo, crop, condition, moved)
    with mock.patch.object(warping, "match_colour", lambda warped, *_: warped):
        yield "own colours", *_warped(photo, crop, condition, crop)
    masks = {f"forehead {part}": _banded(crop, part) for part in BANDS}
    masks |= {f"mask {part:+}": _grown(crop, part) for part in GROWN}
    for title, larger in masks.items():
        yield title, *_warped(photo, larger, condition, larger)
        yield f"black {title}", _pasted(photo, _black(larger), larger), points


def _replacer(method: Method) -> Replacer:
    """A method that takes conditions."""
    assert isinstance(method, Replacer)
    return method


def _warped(
    photo: np.ndarray, crop: Crop, condition: Conditions, moved: Crop
) -> tuple[np.ndarray, np.ndarray]:
    """The condition's face on moved landmarks, and these in the photo."""
    points = moved.faces.points_xy[0]
    made = warping.warp_onto(
        condition.images[0],
        condition.points_xy[0],
        crop.faces.images[0],
        points,
        crop.faces.masks[0],
    )
    back = cv2.invertAffineTransform(crop.matrix)
    return _pasted(photo, made, moved), alignment.transform_points(back, points)


def _pasted(photo: np.ndarray, made: np.ndarray, crop: Crop) -> np.ndarray:
    """A photo with the result of a crop."""
    result = photo.copy()
    paste_face(result, made, crop)
    return result


def _black(crop: Crop) -> np.ndarray:
    """A crop with a black face."""
    faces = crop.faces
    return np.where(faces.masks[0][..., None] > 0, 0, faces.images[0]).astype(np.uint8)


def _obfuscated(photo: np.ndarray, pair: Pair) -> np.ndarray:
    """A photo with a pixelated face."""
    crop = crop_face(photo, pair.face, Pixelate())
    return _pasted(photo, Pixelate()(crop.faces)[0], crop)


def _moved(crop: Crop, condition: Conditions, part: float, jaw: bool) -> Crop:
    """A crop whose landmarks are nearer to the places of the condition's."""
    own, theirs = crop.faces.points_xy[0], condition.points_xy[0]
    matrix, _ = cv2.estimateAffinePartial2D(theirs, own, method=cv2.LMEDS)
    points = own + part * (alignment.transform_points(matrix, theirs) - own)
    if not jaw:
        points[list(JAW)] = own[list(JAW)]
    faces = dataclasses.replace(crop.faces, points_xy=points[None].astype(np.float32))
    return dataclasses.replace(crop, faces=faces)


def _banded(crop: Crop, part: float) -> Crop:
    """A crop whose mask reaches higher."""
    mask = crop.faces.masks[0]
    larger = mask.copy()
    for up in range(1, _pixels(crop, part) + 1):
        larger[:-up] = np.maximum(larger[:-up], mask[up:])
    return _with_mask(crop, larger)


def _grown(crop: Crop, part: float) -> Crop:
    """A crop whose mask is larger or smaller all around."""
    size = 2 * max(1, _pixels(crop, abs(part))) + 1
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    change = cv2.dilate if part > 0 else cv2.erode
    return _with_mask(crop, change(crop.faces.masks[0], kernel))


def _pixels(crop: Crop, part: float) -> int:
    """A share of a face's width in pixels."""
    points = crop.faces.points_xy[0]
    return round(part * float(np.linalg.norm(points[16] - points[0])))


def _with_mask(crop: Crop, mask: np.ndarray) -> Crop:
    faces = dataclasses.replace(crop.faces, masks=mask[None])
    return dataclasses.replace(crop, faces=faces)


if __name__ == "__main__":
    main()
