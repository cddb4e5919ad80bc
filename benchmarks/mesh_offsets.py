"""Fits the linear map from the face mesh to dlib's landmarks, and prints its error.

    python -m benchmarks.mesh_offsets LFW LONDON CELEBA --count 1500 \\
        --output anonygan_jax/assets/detectors/mesh_to_68.npz

Each folder has its own line of the output; a fifth of its photos is held out. Errors
are means over the 68 landmarks in units of the interocular distance, medians over
photos.
"""

import pathlib
import random

import click
import numpy as np
import tqdm

from anonygan_jax.detection.dlib_landmarks import DlibLandmarks
from anonygan_jax.detection.face_mesh import MeshNetwork, eye_frame, features, framing
from anonygan_jax.faces.face import main_face
from anonygan_jax.io.inputs import find_photos
from anonygan_jax.io.kinds import PHOTO
from anonygan_jax.io.photos import read_photo

PENALTY = 0.1  # of the squared coefficients
OUTLIER = 0.12  # mean distance beyond which dlib or the mesh has failed
HELD_OUT = 5  # one of so many photos


@click.command()
@click.argument("folders", nargs=-1, required=True, type=click.Path(exists=True))
@click.option("--count", default=1500, help="Photos of each folder, at most.")
@click.option("--output", required=True, type=click.Path(path_type=pathlib.Path))
def main(folders: tuple[str, ...], count: int, output: pathlib.Path) -> None:
    """Writes the fitted map."""
    sets = [observe(folder, count) for folder in folders]
    inputs, apart = (np.concatenate([s[n] for s in sets]) for n in range(2))
    of = np.repeat(np.arange(len(sets)), [len(s[0]) for s in sets])
    fitted = np.arange(len(of)) % HELD_OUT > 0
    offsets = fit(inputs[fitted], apart[fitted]).astype(np.float16)
    np.savez_compressed(output, allow_pickle=False, offsets=offsets)
    for number, folder in enumerate(folders):
        held_out = (of == number) & ~fitted
        before, after = apart[held_out], apart[held_out] - inputs[held_out] @ offsets
        click.echo(
            f"{folder}: {sum(held_out)} photos held out, {distance(before):.4f} as the "
            f"mesh has them, {distance(after):.4f} moved"
        )


def observe(folder: str, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Features [N, 205] of the mesh, and from there to dlib's points [N, 136]."""
    photos = [p.path for p in find_photos([folder]) if p.kind == PHOTO]
    random.Random(0).shuffle(photos)
    dlib, mesh = DlibLandmarks(), MeshNetwork()
    inputs, apart = [], []
    for path in tqdm.tqdm(photos[:count], folder):
        photo = read_photo(path)
        faces = dlib.detect_any(photo)
        if not faces:
            continue
        face = main_face(faces, photo.shape)
        vertices = mesh(photo, *framing(face.points_xy))
        if vertices is None:
            continue
        rotation, _, width = eye_frame(vertices[:, :2])
        there = (face.points_xy - vertices[:, :2]) @ rotation.T / width
        if np.linalg.norm(there, axis=-1).mean() < OUTLIER:
            inputs.append(features(vertices))
            apart.append(there.ravel())
    return np.stack(inputs), np.stack(apart)


def fit(inputs: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Returns the ridge regression's coefficients; the constant is not penalised."""
    middle = inputs[:, :-1].mean(0)
    centred = np.column_stack([inputs[:, :-1] - middle, np.ones(len(inputs))])
    penalty = PENALTY * np.eye(centred.shape[1])
    penalty[-1, -1] = 0.0
    solved = np.linalg.solve(centred.T @ centred + penalty, centred.T @ targets)
    solved[-1] -= middle @ solved[:-1]
    return solved


def distance(offsets: np.ndarray) -> float:
    """Median over photos of the mean distance of 68 points."""
    norms = np.linalg.norm(offsets.reshape(len(offsets), -1, 2), axis=-1)
    return float(np.median(norms.mean(-1)))


if __name__ == "__main__":
    main()
