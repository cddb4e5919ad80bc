"""The frozen networks with random weights against PyTorch's, see golden/README.md."""

import golden_values
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax.traverse_util import flatten_dict

from anonygan_jax.models.pretrained import arcface, efficientnet, facenet, inception
from anonygan_jax.weights import features
from anonygan_jax.weights.torch_files import TorchFileError


def random_state_dict(network, size: int) -> dict[str, np.ndarray]:
    """Weights drawn from their official names, in PyTorch's layout."""
    images = jnp.zeros((1, size, size, 3))
    init = jax.eval_shape(lambda: network.init(jax.random.key(0), images))
    weights = {}
    for path, leaf in flatten_dict(init).items():
        name = ".".join([*path[1:-1], features._NAMES[path[-1]]])
        shape = leaf.shape
        if path[-1] == "kernel":
            shape = (shape[-1], shape[-2], *shape[:-2])
        kinds = {"kernel": "weight", "scale": "scale", "var": "var"}
        kind = kinds.get(path[-1], "mean")
        weights[name] = golden_values.draw(name, shape, kind, 2**0.5)
    return weights


@pytest.fixture(scope="module")
def golden() -> dict[str, np.ndarray]:
    return golden_values.load("feature_networks.npz")


@pytest.fixture(scope="module")
def images() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    sizes = (inception.IMAGE_SIZE, facenet.IMAGE_SIZE)
    large, small = (rng.uniform(-1, 1, (2, s, s, 3)) for s in sizes)
    return large.astype(np.float32), small.astype(np.float32)


def test_inception_equals_pytorch_fids(golden, images):
    weights = random_state_dict(inception.Inception(), inception.IMAGE_SIZE)
    assert sum(w.size for n, w in weights.items() if "running" not in n) == 23_850_960
    variables = features.inception_variables(weights)
    output = jax.jit(inception.Inception().apply)(variables, images[0])
    expected = golden["inception"]
    assert np.abs(output - expected).max() <= 1e-4 * max(1, np.abs(expected).max())


def test_facenet_equals_facenet_pytorchs(golden, images):
    weights = random_state_dict(facenet.FaceNet(300), facenet.IMAGE_SIZE)
    weights["last_bn.num_batches_tracked"] = np.array(3)
    network, variables = features.facenet_variables(weights)
    embedding, logits = jax.jit(network.apply)(variables, images[1])
    assert np.abs(embedding - golden["facenet_embedding"]).max() <= 1e-5
    assert np.abs(logits - golden["facenet_logits"]).max() <= 1e-4


def test_efficientnet_equals_efficientnet_lite_pytorchs(golden):
    images = np.random.default_rng(7).uniform(-1, 1, (2, 224, 224, 3))
    network = efficientnet.EfficientNet()
    weights = random_state_dict(network, efficientnet.IMAGE_SIZE)
    variables = features.efficientnet_variables(weights)
    output, logits = jax.jit(network.apply)(variables, images.astype(np.float32))
    assert np.abs(output - golden["efficientnet"]).max() <= 1e-4
    assert np.abs(logits[:, :100] - golden["efficientnet_logits"]).max() <= 1e-4


def test_arcface_equals_insightfaces(golden):
    images = np.random.default_rng(3).uniform(-1, 1, (2, 112, 112, 3))
    weights = random_state_dict(arcface.IResNet((1, 1, 2, 1)), arcface.IMAGE_SIZE)
    network, variables = features.arcface_variables(weights)
    assert network.num_blocks == (1, 1, 2, 1)
    embedding = jax.jit(network.apply)(variables, images.astype(np.float32))
    expected = golden["arcface"]
    assert np.abs(embedding - expected).max() <= 1e-5 * np.abs(expected).max()


def test_weights_that_do_not_fit_are_named(tmp_path):
    weights = random_state_dict(facenet.FaceNet(5), facenet.IMAGE_SIZE)
    weights["other"] = np.zeros(3)
    del weights["block8.branch1.2.bn.weight"]
    with pytest.raises(ValueError, match=r"missing block8\.branch1\.2.*unknown other"):
        features.facenet_variables(weights)
    with pytest.raises(ValueError, match=r"logits\.bias"):
        features.facenet_variables({})
    path = tmp_path / "pt_inception.pth"
    path.write_bytes(b"x")
    with pytest.raises(TorchFileError, match="6726825d"):
        features.load_inception(path)
    with pytest.raises(TorchFileError, match="cannot be read"):
        features.load_inception(tmp_path / "none.pth")
