"""The recognisers by name: those in the package, and their thresholds."""

import subprocess
import sys

import numpy as np
import pytest
from conftest import ROOT

from anonygan_jax.recognition.table import FROM_FILES, RECOGNISERS

PACKAGED = [name for name in RECOGNISERS if name not in FROM_FILES]


@pytest.mark.parametrize("name", PACKAGED)
def test_one_person_is_nearer_than_another(name, embedded):
    describe = RECOGNISERS[name].make()
    faces = embedded[:24:2]
    found = np.stack([describe(face.image, face.points_xy) for face in faces])
    apart = np.linalg.norm(found[:, None] - found, axis=-1)
    owners = np.array([face.identity for face in faces])
    same = owners[:, None] == owners
    np.fill_diagonal(same, False)
    other = owners[:, None] != owners
    assert same.any()
    assert np.median(apart[same]) < np.quantile(apart[other], 0.05)
    if name != "dlib":
        np.testing.assert_allclose(np.linalg.norm(found, axis=-1), 1, atol=1e-5)


@pytest.mark.parametrize("name", PACKAGED)
def test_thresholds_fall_with_the_share_of_strangers(name):
    thresholds = RECOGNISERS[name].thresholds
    assert [t.far for t in thresholds] == [1e-2, 1e-3, 1e-4]
    for field in ("distance", "tar"):
        values = [getattr(t, field) for t in thresholds]
        assert values == sorted(values, reverse=True)
    assert 0.5 < thresholds[-1].tar <= thresholds[0].tar <= 1


def test_recognisers_of_files_have_no_thresholds_of_ours():
    assert FROM_FILES == ("facenet_casia", "facenet_vggface2", "arcface", "adaface")
    assert not any(RECOGNISERS[name].thresholds for name in FROM_FILES)


def test_the_packaged_ones_run_without_jax():
    program = (
        "import sys, numpy as np\n"
        "from anonygan_jax.recognition import mobilefacenet, template\n"
        "describe = mobilefacenet.MobileFaceNetDescriptor()\n"
        "points = np.zeros((68, 2))\n"
        "points[36:42], points[42:48] = template.TEMPLATE_XY[:2]\n"
        "points[[30, 48, 54]] = template.TEMPLATE_XY[2:]\n"
        "assert describe(np.zeros((112, 112, 3), np.uint8), points).shape == (192,)\n"
        "assert not any(n.startswith('anonygan_jax.models') for n in sys.modules)\n"
        "assert 'flax' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)
