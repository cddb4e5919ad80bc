"""Whether a detected face was changed, for faces of composites at all rolls."""

import cv2
import numpy as np
import pytest

from anonygan_jax.anonymise.anonymiser import Anonymiser
from anonygan_jax.anonymise.proof import is_changed
from anonygan_jax.detection.detector import FaceDetector
from anonygan_jax.detection.dlib_landmarks import DlibLandmarks
from anonygan_jax.faces.face import LEFT_EYE, RIGHT_EYE

MOUTH = tuple(range(48, 68))


@pytest.fixture(scope="module")
def upright(embedded):
    """A picture, a detector's box and landmarks."""
    image = cv2.copyMakeBorder(embedded[0].image, 60, 60, 60, 60, cv2.BORDER_REPLICATE)
    (face,) = DlibLandmarks().detect(image, num_upsamples=1)
    low, high = face.points_xy.min(0), face.points_xy.max(0)
    side = (high - low).max() * 1.2
    middle = (low + high) / 2 - [0, 0.12 * side]
    box = np.concatenate([middle - side / 2, middle + side / 2]).astype(np.float32)
    return image, box, face.points_xy


def _turned(upright, degrees):
    """The picture turned clockwise, the box around its middle, the landmarks."""
    image, box, points = upright
    centre = (box[:2] + box[2:]) / 2
    matrix = cv2.getRotationMatrix2D([float(v) for v in centre], -degrees, 1.0)
    image = cv2.warpAffine(image, matrix, image.shape[1::-1], borderMode=1)
    return image, box, points @ matrix[:, :2].T + matrix[:, 2]


def _blurred(image, points):
    """The picture with everything blurred in the hull of some points."""
    drawn = np.zeros(image.shape[:2], np.uint8)
    cv2.fillConvexPoly(drawn, cv2.convexHull(points.round().astype(np.int32)), 1)
    mask = cv2.dilate(drawn, np.ones((7, 7), np.uint8))[..., None] > 0
    return np.where(mask, cv2.GaussianBlur(image, (0, 0), 12), image)


@pytest.mark.parametrize("degrees", [0, 40, 90, 135, 180, -60])
def test_a_face_is_changed_if_eyes_and_mouth_are(upright, degrees):
    image, box, points = _turned(upright, degrees)
    roll = np.deg2rad(degrees)
    assert not is_changed(image, image, box, roll)
    assert is_changed(image, _blurred(image, points), box, roll)
    for part in (points[list(LEFT_EYE + RIGHT_EYE)], points[list(MOUTH)]):
        assert not is_changed(image, _blurred(image, part), box, roll)
    beside = points + [0.5 * np.ptp(points[:, 0]), 0]
    assert not is_changed(image, _blurred(image, beside), box, roll)


def test_what_shows_nothing_needs_no_change(upright):
    image, box, _ = upright
    flat = np.full_like(image, 90)
    assert is_changed(flat, flat, box)
    away = box + 10_000
    assert is_changed(image, image, away)


@pytest.mark.parametrize("method", ["blackout", "blur", "pixelate", "warp"])
def test_eyes_outside_the_contour_of_a_profile_are_not_left(
    embedded, monkeypatch, method
):
    """As noses and lips of profiles, which are before the line of the jaw."""

    def profile(self, photo, found):
        face = face_in(self, photo, found)
        outer = face.points_xy[:27]  # jaw and brows
        outer[:, 0] += 0.27 * (outer[:, 0].max() - outer[:, 0])
        return face

    face_in = FaceDetector.face
    image = embedded[0].image
    anonymiser = Anonymiser(method)
    (face,) = anonymiser.detector(image)
    monkeypatch.setattr(FaceDetector, "face", profile)
    result = anonymiser(image)
    x, y = face.points_xy[list(LEFT_EYE)].mean(0).round().astype(int)
    corner = image[y - 3 : y + 4, x - 6 : x + 1].astype(float)
    changed = np.abs(result.image[y - 3 : y + 4, x - 6 : x + 1] - corner).mean()
    assert changed > 0.7 * corner.std()
    assert [report.status for report in result.faces] == ["pixelated"]
    assert "profile" in result.faces[0].reason
