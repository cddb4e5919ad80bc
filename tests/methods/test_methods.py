"""Each way to hide a face: what changes, what stays, what is refused."""

import cv2
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter1d

from anonygan_jax.detection.dlib_landmarks import DlibLandmarks
from anonygan_jax.faces import blending, warping
from anonygan_jax.faces.expression import mouth_openness
from anonygan_jax.faces.masks import face_mask
from anonygan_jax.methods import METHODS, WITHOUT_TRAINING, make_methods
from anonygan_jax.methods.blur import Blur
from anonygan_jax.methods.method import Conditions, Faces, MethodError, Replacer
from anonygan_jax.methods.pixelate import Pixelate
from anonygan_jax.methods.warp import Warp

SIZE = (220, 180)


def _hide(name: str, tiny_run, faces: Faces, conditions: Conditions) -> np.ndarray:
    """The crops as a method makes them, with conditions if it takes any."""
    (method,) = make_methods(name, str(tiny_run))
    if isinstance(method, Replacer):
        return method(faces, conditions)
    return method(faces)


@pytest.mark.parametrize("name", ["blackout", "blur", "pixelate", "warp"])
def test_nothing_outside_the_mask_changes(name, faces, conditions, tiny_run):
    hidden = _hide(name, tiny_run, faces, conditions)
    outside = _beyond(faces) if name == "warp" else faces.masks == 0
    assert hidden.dtype == np.uint8
    np.testing.assert_array_equal(hidden[outside], faces.images[outside])
    changed = (hidden != faces.images).any(-1)
    assert changed[faces.masks > 0].mean() > 0.9


def _beyond(faces: Faces) -> np.ndarray:
    """Where a new face has faded away: 3 pixels outside, faces being 95 wide."""
    square = np.ones((7, 7), np.uint8)
    return np.stack([cv2.dilate(mask, square) == 0 for mask in faces.masks])


def test_a_new_face_fades_outside_the_mask_alone(faces):
    mask, points = faces.masks[0], faces.points_xy[0]
    weight = blending.feather_alpha(mask, points)
    assert (weight[mask > 0] == 1).all()
    assert (weight[_beyond(faces)[0]] == 0).all()
    near = (cv2.dilate(mask, np.ones((3, 3))) > 0) & (mask == 0)
    assert (np.abs(weight[near] - 0.5) < 0.3).all()
    twice = np.kron(mask, np.ones((2, 2), np.float32))
    fading = blending.feather_alpha(twice, 2 * points) * (twice == 0)
    assert (fading > 0).sum() > 2.5 * ((weight * (mask == 0)) > 0).sum()


def test_blur_is_scipys_gaussian(faces):
    hidden = Blur(0.1)(faces)
    width = np.linalg.norm(faces.points_xy[0, 16] - faces.points_xy[0, 0])
    expected = faces.images[0].astype(float)
    for axis in (0, 1):
        expected = gaussian_filter1d(
            expected, 0.1 * width, axis, mode="constant", truncate=3
        )
    inside = cv2.erode(faces.masks[0], np.ones((3, 3))) > 0
    assert np.abs(hidden[0] - expected)[inside].max() <= 2


def test_pixelated_cells_have_one_colour_their_mean(faces):
    hidden = Pixelate(6)(faces)[1]
    width = np.linalg.norm(faces.points_xy[1, 16] - faces.points_xy[1, 0])
    rows, columns = (np.floor(np.arange(n) / (width / 6)) for n in SIZE)
    row = rows[int(faces.points_xy[1, 30, 1])]
    column = columns[int(faces.points_xy[1, 30, 0])]
    cell = np.ix_(rows == row, columns == column)
    assert np.ptp(hidden[cell], axis=(0, 1)).max() == 0
    expected = faces.images[1][cell].astype(float).mean((0, 1))
    assert np.abs(hidden[cell][0, 0] - expected).max() <= 1


def test_a_warp_onto_itself_is_the_face_itself(faces):
    image, points = faces.images[0], faces.points_xy[0]
    warped = warping.warp_face(image, points, points, SIZE)
    inside = faces.masks[0] > 0
    assert np.abs(warped.astype(int) - image)[inside].max() <= 4
    hidden = Warp()(faces, Conditions(faces.images, faces.points_xy))
    upper = inside & (np.arange(SIZE[0]) < points[33, 1])[:, None]
    assert np.abs(hidden[0].astype(int) - image)[upper].mean() < 6


def test_landmarks_go_where_the_sources_are(faces, conditions):
    marked = np.zeros((*SIZE, 3), np.uint8)
    place = np.rint(conditions.points_xy[0, 33]).astype(int)
    cv2.circle(marked, tuple(int(v) for v in place), 4, (255, 255, 255), -1)
    moved = warping.warp_face(marked, conditions.points_xy[0], faces.points_xy[0], SIZE)
    x, y = np.rint(faces.points_xy[0, 33]).astype(int)
    assert moved[y, x, 0] > 127
    rows, columns = np.nonzero(moved[..., 0] > 127)
    assert np.hypot(rows - y, columns - x).max() < 12


def test_skin_takes_the_sources_colour_within_limits(faces):
    image, points, mask = faces.images[0], faces.points_xy[0], faces.masks[0]
    tinted = np.clip(image * np.array([0.8, 1.0, 0.9]), 0, 255).astype(np.uint8)
    matched = warping.match_colour(tinted, image, points, mask)
    inside = mask > 0
    error = np.abs(np.median(matched[inside], 0) - np.median(image[inside], 0))
    assert error.max() < 6
    blue = np.zeros_like(image) + np.array([0, 0, 255], np.uint8)
    limited = warping.match_colour(image, blue, points, mask)
    shift = cv2.cvtColor(limited, cv2.COLOR_RGB2LAB).astype(int)
    shift -= cv2.cvtColor(image, cv2.COLOR_RGB2LAB)
    assert np.abs(np.median(shift[inside], 0))[1:].max() <= 20


def test_a_shut_mouth_on_open_lips_is_dark_inside(embedded):
    face = min(embedded, key=lambda f: mouth_openness(f.points_xy))
    image, shut = face.image, face.points_xy
    wide = shut.copy()
    wide[55:60, 1] += 15
    wide[65:68, 1] += 15
    opened = warping.open_mouth(image, wide, shut)
    x, y = np.rint((wide[62] + wide[66]) / 2).astype(int)
    assert opened[y, x].mean() < 0.5 * image[y, x].mean()
    np.testing.assert_array_equal(warping.open_mouth(image, shut, shut), image)


def _broken(faces: Faces, change) -> Faces:
    points, masks = faces.points_xy.copy(), faces.masks.copy()
    change(points, masks)
    return Faces(faces.images, points, masks)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda p, m: p.__setitem__((1, 3), np.nan), "face 1: .*finite"),
        (lambda p, m: p.__setitem__(2, p[2] * 0.1), "face 2: face of 9 pixels"),
        (
            lambda p, m: p.__setitem__((0, ..., 1), p[0, :, 0] * 0.5),
            "face 0: landmarks form a line",
        ),
        (lambda p, m: p.__setitem__((0, ..., 0), -p[0, :, 0]), "mirrored"),
        (lambda p, m: m.__setitem__(1, 0), "face 1: the face is outside"),
    ],
)
@pytest.mark.parametrize(
    "name", [name for name in METHODS if name not in ("blackout", "auto", "ciagan")]
)
def test_unusable_faces_are_refused(name, change, reason, faces, conditions, tiny_run):
    with pytest.raises(MethodError, match=reason):
        _hide(name, tiny_run, _broken(faces, change), conditions)


@pytest.mark.parametrize("name", ["warp", "anonygan"])
def test_faces_cut_by_the_border_are_hidden_all_the_same(
    name, faces, conditions, tiny_run
):
    points = faces.points_xy + np.array([70, -60], np.float32)
    masks = face_mask(points, SIZE)
    shifted = Faces(np.roll(faces.images, (-60, 70), (1, 2)), points, masks)
    if name == "anonygan":
        hidden = _hide(name, tiny_run, _at(shifted, (56, 48)), conditions)
    else:
        hidden = _hide(name, tiny_run, shifted, conditions)
        inside = masks > 0
        assert (hidden != shifted.images).any(-1)[inside].mean() > 0.9
    assert hidden.dtype == np.uint8


def _at(faces: Faces, size: tuple[int, int]) -> Faces:
    """Crops at another size."""
    scale = np.array([size[1] / SIZE[1], size[0] / SIZE[0]], np.float32)
    points = faces.points_xy * scale
    images = np.stack([cv2.resize(image, size[::-1]) for image in faces.images])
    return Faces(images, points, face_mask(points, size))


def test_unknown_methods_are_refused():
    with pytest.raises(ValueError, match="there are blackout, blur"):
        make_methods("swirl")


def test_methods_say_whether_they_replace_and_what_their_weights_are(tiny_run):
    made = {name: make_methods(name)[0] for name in WITHOUT_TRAINING}
    replacers = [name for name, m in made.items() if isinstance(m, Replacer)]
    assert replacers == ["warp"]
    assert {method.step for method in made.values()} == {None}
    (trained,) = make_methods("anonygan", str(tiny_run))
    assert isinstance(trained, Replacer)
    assert trained.step == 4  # of the tiny run


def test_conditions_without_a_usable_face_are_refused(faces, conditions):
    points = conditions.points_xy.copy()
    points[1, 3] = np.nan
    with pytest.raises(MethodError, match=r"condition 1: .*finite"):
        Warp()(faces, Conditions(conditions.images, points))


def test_the_model_in_the_package_redraws_what_warp_makes(faces, conditions):
    warped = Warp()(faces, conditions).astype(float)
    drawn = make_methods("anonygan")[0](faces, conditions)
    inside, beyond = faces.masks > 0, _beyond(faces)
    np.testing.assert_array_equal(drawn[beyond], faces.images[beyond])
    change = np.abs(drawn - warped).mean(-1)[inside]
    assert 1 < change.mean() < 15  # of 255; noise or another network's changes far more
    assert all(len(DlibLandmarks().detect(image)) == 1 for image in drawn)


def _shrunk(faces: Faces, size) -> Faces:
    images = [
        cv2.resize(i, size[::-1], interpolation=cv2.INTER_AREA) for i in faces.images
    ]
    scale = np.array([size[1] / SIZE[1], size[0] / SIZE[0]], np.float32)
    points = faces.points_xy * scale
    masks = face_mask(points, size)
    return Faces(np.stack(images), points, masks)


def test_a_smooth_membrane_is_solved_for_at_any_size(faces):
    image, mask = faces.images[0], faces.masks[0]
    brighter = np.clip(image.astype(int) + 25, 0, 255).astype(np.uint8)
    darker = np.where(brighter < 255, brighter - 25, image).astype(np.uint8)
    blended = blending.blend(brighter, darker, mask, faces.points_xy[0])
    apart = np.abs(blended.astype(int) - darker)
    assert np.percentile(apart[mask > 0], 95) <= 4


@pytest.mark.parametrize("size", [(80, 66), (220, 180)])
def test_blending_keeps_nothing_of_the_face(faces, size):
    shrunk = _shrunk(faces, size)
    image, mask = shrunk.images[0], shrunk.masks[0]
    noisy = image.copy()
    inside = mask > 0
    noisy[inside] = np.random.default_rng(0).integers(0, 256, (inside.sum(), 3))
    warped, points = shrunk.images[1], shrunk.points_xy[0]
    expected = blending.blend(warped, image, mask, points)
    np.testing.assert_array_equal(blending.blend(warped, noisy, mask, points), expected)


def test_at_its_edge_a_new_face_is_mixed_with_the_picture(faces):
    mask, points = faces.masks[0], faces.points_xy[0]
    light, dark = (np.full((*SIZE, 3), level, np.uint8) for level in (200, 40))
    blended = blending.blend(light, dark, mask, points)
    weight = blending.feather_alpha(mask, points)[..., None]
    assert ((weight > 0) & (weight < 1)).sum() > 100
    new = (
        200 - blending.MAX_BACKGROUND_BLEED
    )  # brighter by more than what is met of the darkness
    np.testing.assert_allclose(blended, 40 + (new - 40) * weight + 0 * light, atol=2)


def _repainted(faces: Faces, chosen: np.ndarray, colour) -> np.ndarray:
    """The first face blended into itself, its surroundings painted."""
    painted = faces.images[0].copy()
    painted[chosen & (faces.masks[0] == 0)] = colour
    face = faces.images[0], painted, faces.masks[0], faces.points_xy[0]
    return blending.blend(*face).astype(int) - faces.images[0]


@pytest.mark.parametrize("colour", [(250, 250, 250), (10, 10, 20), (20, 40, 200)])
def test_backgrounds_shine_into_a_face_in_part(faces, colour):
    in_same_frame = np.broadcast_to(
        np.arange(SIZE[1]) > faces.points_xy[0, 27, 0], SIZE
    )
    change = np.abs(_repainted(faces, in_same_frame, colour))[faces.masks[0] > 0]
    assert 10 < change.max() <= blending.MAX_BACKGROUND_BLEED + 10
    assert change.mean() < 30


def test_a_face_takes_the_light_of_what_is_beside_it(faces):
    points, inside = faces.points_xy[0], faces.masks[0] > 0
    skin = np.median(faces.images[0][inside], 0)
    rows = np.broadcast_to(np.arange(SIZE[0])[:, None], SIZE)
    near = inside & (rows < points[27, 1])
    lit = _repainted(faces, rows < points[30, 1], skin + 25)
    assert lit[near].mean() > 8
    below = inside & (rows > points[57, 1])
    shadowed = _repainted(faces, rows > points[48, 1], skin - 25)
    assert shadowed[below].mean() < -4
    assert np.abs(shadowed[near]).mean() < np.abs(shadowed[below]).mean()
