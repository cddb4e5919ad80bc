"""Distances below which the packaged recognisers accept a share of strangers.

    python -m benchmarks.recogniser_thresholds --photos LFW/images \\
        --pairs LFW/pairsDevTrain.txt --people 2000

Landmarks are those of `anonygan anonymise`. FAR: of all pairs of the first photos of
different people. TAR: of the list's pairs of one person. These are
the thresholds in `anonygan_jax.recognition.table` (LFW's development-train people).
"""

import argparse
import pathlib

import numpy as np
import tqdm

from anonygan_jax.detection import make_detector
from anonygan_jax.evaluation.collect.folders import photos_in
from anonygan_jax.evaluation.collect.pair_lists import person, read_pairs
from anonygan_jax.evaluation.metrics.estimates import share
from anonygan_jax.evaluation.metrics.gallery import Gallery
from anonygan_jax.evaluation.metrics.reidentification import pair_distances
from anonygan_jax.faces.face import main_face
from anonygan_jax.io.photos import read_photo
from anonygan_jax.recognition.table import RECOGNISERS


def main() -> None:
    """Prints a line for each recogniser and FAR."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=pathlib.Path, required=True)
    parser.add_argument("--pairs", type=pathlib.Path, required=True)
    parser.add_argument("--people", type=int, required=True)
    arguments = parser.parse_args()
    photos, _ = photos_in(arguments.photos)
    pairs = read_pairs(arguments.pairs)
    firsts = {person(name): name for name in sorted(photos, reverse=True)}
    strangers = [firsts[p] for p in sorted(firsts)[: arguments.people]]
    both = {*np.array(pairs.first)[pairs.same], *np.array(pairs.second)[pairs.same]}
    known = embeddings(photos, sorted({*strangers, *map(str, both)}))
    for name, found in known.items():
        apart = {n: found[n] for n in strangers if n in found}
        chosen = pairs.among(found.keys(), found.keys())
        distances = pair_distances(chosen, found, found)[chosen.same]
        count = len(apart) * (len(apart) - 1) // 2
        for far, limit in Gallery(apart).thresholds.items():
            tar = share(distances < limit)
            print(
                f"{name}: FAR {far} of {count} pairs below {limit:.4f}; TAR "
                f"{tar.value:.4f} [{tar.low:.4f}, {tar.high:.4f}] of {tar.count}"
            )


def embeddings(
    photos: dict[str, pathlib.Path], names: list[str]
) -> dict[str, dict[str, np.ndarray]]:
    """Returns descriptors of the main face of each photo, by recogniser and name."""
    detector = make_detector()
    descriptors = {n: known.make() for n, known in RECOGNISERS.items() if known.make}
    found: dict[str, dict[str, np.ndarray]] = {name: {} for name in descriptors}
    for name in tqdm.tqdm(names, unit="photo"):
        image = read_photo(photos[name])
        faces = [detector.face(image, box) for box in detector.quick_boxes(image)]
        if faces := [face for face in faces if len(face.points_xy)]:
            points = main_face(faces, image.shape).points_xy
            for key, describe in descriptors.items():
                found[key][name] = describe(image, points)
    return found


if __name__ == "__main__":
    main()
