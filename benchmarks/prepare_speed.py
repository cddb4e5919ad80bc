"""Photos per second of `anonygan prepare` beside a plain loop over dlib.

    python -m benchmarks.prepare_speed PHOTOS

The peer does the least that is possible: it decodes with Pillow, detects faces and
computes landmarks, in one process, without crops or records. Both are timed in turn,
three times.
"""

import functools
import pathlib
import statistics
import sys
import tempfile
import time

from PIL import Image

from anonygan_jax.data.prepare import job, pool
from anonygan_jax.io.dlib_package import model_file
from anonygan_jax.io.inputs import PhotoFile, find_photos
from anonygan_jax.io.kinds import PHOTO

RUNS = 3


def peer_photos_per_second(files: list[PhotoFile]) -> float:
    """The plain loop."""
    import dlib
    import numpy as np

    detector = dlib.get_frontal_face_detector()
    model = model_file("shape_predictor_68_face_landmarks.dat")
    predictor = dlib.shape_predictor(str(model))
    start = time.perf_counter()
    for file in files:
        image = np.asarray(Image.open(file.path).convert("RGB"))
        for box in detector(image)[:1]:
            predictor(image, box)
    return len(files) / (time.perf_counter() - start)


def our_photos_per_second(files: list[PhotoFile]) -> float:
    """The whole command on two processes, their start included."""
    all_photos = job.Job(files, None, (220, 180), aligned=False)
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        make = functools.partial(pool.make_shards, num_workers=2)
        job.prepare(all_photos, pathlib.Path(folder), make)
        return len(files) / (time.perf_counter() - start)


def main() -> None:
    """Prints both and their ratio."""
    found = [f for f in find_photos(sys.argv[1:]) if f.kind == PHOTO]
    ratios = []
    for _ in range(RUNS):
        ours, peer = our_photos_per_second(found), peer_photos_per_second(found)
        ratios.append(ours / peer)
        print(f"prepare {ours:.1f} photos/s, plain loop {peer:.1f} photos/s")
    print(f"ratio {statistics.median(ratios):.2f} (median of {RUNS})")


if __name__ == "__main__":
    main()
