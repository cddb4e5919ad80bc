"""dlib's face recogniser, in ONNX Runtime and in JAX, against dlib's own."""

import dlib
import jax
import numpy as np
import pytest

from anonygan_jax.faces.alignment import reframe
from anonygan_jax.io.dlib_package import model_file
from anonygan_jax.models.pretrained.dlib_resnet import DlibResNet
from anonygan_jax.recognition.dlib import GRAPH, DlibDescriptor
from anonygan_jax.recognition.dlib_file import DlibFileError, face_descriptor_variables
from anonygan_jax.systems.embedders import descriptor_embedder
from anonygan_jax.weights.dlib_graph import dlib_graph

NAME = "dlib_face_recognition_resnet_model_v1.dat"


def test_descriptors_equal_dlibs(embedded):
    path = model_file(NAME)
    recogniser = dlib.face_recognition_model_v1(str(path))
    chips = np.stack([face.image[60:210, 15:165] for face in embedded[:4]])
    expected = [recogniser.compute_face_descriptor(chip.copy()) for chip in chips]
    apply = jax.jit(DlibResNet().apply)
    made = apply(face_descriptor_variables(path), chips.astype(np.float32))
    np.testing.assert_allclose(made, np.array(expected), atol=3e-6)


def test_the_tool_s_descriptors_equal_dlibs(embedded):
    recogniser = dlib.face_recognition_model_v1(str(model_file(NAME)))
    describe = DlibDescriptor()
    for face in embedded[::50]:
        low, high = face.points_xy.min(0), face.points_xy.max(0)
        box = dlib.rectangle(*(int(v) for v in (*low, *high)))
        parts = [dlib.point(round(x), round(y)) for x, y in face.points_xy]
        shape = dlib.full_object_detection(box, parts)
        expected = recogniser.compute_face_descriptor(face.image.copy(), shape)
        made = describe(face.image, face.points_xy)
        np.testing.assert_allclose(made, np.array(expected), atol=3e-6)


def test_the_graph_in_the_package_is_the_one_that_is_made():
    assert GRAPH.read_bytes() == dlib_graph()


def test_training_pictures_show_it_nearly_what_dlib_frames(embedded):
    embedder, describe = descriptor_embedder("", 1.4), DlibDescriptor()
    faces = embedded[:40:4]
    pictures = [reframe(f.image, f.points_xy, (112, 92), 1.4)[0] for f in faces]
    scaled = np.stack(pictures).astype(np.float32) / 127.5 - 1
    made = np.asarray(jax.jit(embedder)(embedder.variables, scaled))
    known = np.stack([describe(f.image, f.points_xy) for f in faces])
    apart = np.linalg.norm(made[:, None] - known[None], axis=-1)
    assert np.diag(apart).max() < 0.35
    assert np.median(np.diag(apart)) < 0.2
    names = np.array([face.identity for face in faces])
    assert apart[names[:, None] != names].min() > 0.35


def test_other_files_are_reported(tmp_path):
    whole = model_file(NAME).read_bytes()
    for data in (b"faces", whole[:100_000]):
        (tmp_path / "some.dat").write_bytes(data)
        with pytest.raises(DlibFileError, match=r"some\.dat: not dlib_face_recog"):
            face_descriptor_variables(tmp_path / "some.dat")
