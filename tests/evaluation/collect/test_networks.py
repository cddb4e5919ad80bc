"""Short batches and many devices give what one picture at a time gives."""

import subprocess
import sys

import jax.numpy as jnp
import numpy as np
import pytest
from conftest import ROOT
from sklearn.datasets import load_sample_image

from anonygan_jax.evaluation.collect import networks
from anonygan_jax.models.pretrained import facenet
from anonygan_jax.recognition.mobilefacenet import MobileFaceNetDescriptor
from anonygan_jax.recognition.template import template_crop
from anonygan_jax.weights.torch_files import TorchFileError

ON_FOUR_DEVICES = """
import jax, numpy as np, jax.numpy as jnp
from anonygan_jax.evaluation.collect.networks import FrozenNetwork
assert len(jax.devices()) == 4
apply = lambda v, x: jnp.sin(x).mean((1, 2)) @ v
weights = np.arange(6, dtype=np.float32).reshape(3, 2)
network = FrozenNetwork("n", "p", apply, weights, 100, 50, 2)
batch = np.arange(5 * 4 * 4 * 3, dtype=np.uint8).reshape(5, 4, 4, 3)
made = network(batch)
expected = np.sin((batch.astype(np.float32) - 100) / 50).mean((1, 2)) @ weights
assert network.batch_size == 8 and made.shape == (5, 2)
np.testing.assert_allclose(made, expected, rtol=1e-5)
whole = network(np.tile(batch, (2, 1, 1, 1))[:8])
np.testing.assert_allclose(whole[:5], made, rtol=1e-6)
"""


def test_pictures_are_shared_out_over_devices():
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=4"}
    subprocess.run(
        [sys.executable, "-c", ON_FOUR_DEVICES],
        check=True,
        cwd=ROOT,
        env={**flags, "PATH": "", "JAX_PLATFORMS": "cpu"},
    )


def test_what_fills_a_batch_does_not_change_it():
    network = networks.FrozenNetwork(
        "n", "p", lambda v, x: (x.sum((1, 2)), jnp.argmax(x[:, 0, 0], -1)), None, 0, 1
    )
    batch = np.random.default_rng(0).integers(0, 9, (3, 2, 2, 4))
    sums, places = network(batch)
    np.testing.assert_array_equal(sums, batch.sum((1, 2)))
    np.testing.assert_array_equal(places, batch[:, 0, 0].argmax(-1))


def test_the_packaged_network_finds_two_parts_of_a_photo_alike():
    network = networks.efficientnet_network()
    assert network is not None
    photos = (load_sample_image(name) for name in ("china.jpg", "flower.jpg"))
    parts = [photo[100:324, x : x + 224] for photo in photos for x in (100, 300)]
    features = network(np.stack(parts))["features"]
    assert features.shape == (4, 1280)
    apart = np.linalg.norm(features[:, None] - features, axis=-1)
    assert max(apart[0, 1], apart[2, 3]) < apart[:2, 2:].min()


def test_weights_of_another_network_are_named(tmp_path):
    with pytest.raises(TorchFileError, match=r"golden/zip\.pt.*logits\.bias"):
        networks.recogniser_network(
            "facenet_casia", ROOT / "tests" / "golden" / "zip.pt"
        )
    assert facenet.NUM_FEATURES == 512


def test_the_packaged_recogniser_is_the_tools(embedded):
    points = [face.points_xy for face in embedded[:3]]
    crops = [template_crop(face.image, face.points_xy) for face in embedded[:3]]
    made = networks.recogniser_network("mobilefacenet")(np.stack(crops))["embeddings"]
    describe = MobileFaceNetDescriptor()
    for face, place, found in zip(embedded, points, made, strict=False):
        np.testing.assert_allclose(found, describe(face.image, place), atol=1e-5)


def test_colours_are_in_the_order_of_each_recogniser(tmp_path, monkeypatch):
    class Sums:
        """Sums of each channel."""

        def apply(self, variables, images):
            return images.sum((1, 2))

    monkeypatch.setattr(networks, "read_state_dict", lambda path: {})
    for name in ("arcface", "adaface"):
        monkeypatch.setitem(networks._CONVERTERS, name, lambda _: (Sums(), None))
    photo = np.zeros((1, 112, 112, 3), np.uint8)
    photo[..., 0] = 255
    rgb, bgr = (
        networks.recogniser_network(name, tmp_path)(photo)["embeddings"][0]
        for name in ("arcface", "adaface")
    )
    np.testing.assert_allclose(rgb, np.array([1, -1, -1]) / np.sqrt(3), atol=1e-5)
    np.testing.assert_allclose(bgr, rgb[::-1], atol=1e-6)
