"""Re-identification by dlib of a generator's faces that were not verified.

    python -m benchmarks.unchecked_identity RUN --count 200

`Anonymiser` draws a face anew where dlib re-identifies it; other recognisers are not
verified against. Here the generator of a run with warped conditions draws held-out
people once, as in training. The other row is the warped condition, `warp`'s face.
"""

import operator
import pathlib

import click
import jax
import ml_collections
import numpy as np

from anonygan_jax.evaluation.collect.observation import FaceObserver
from anonygan_jax.evaluation.metrics.estimates import share
from anonygan_jax.models.images import to_uint8
from anonygan_jax.recognition.thresholds import SAME_PERSON
from anonygan_jax.systems.registry import make_system
from anonygan_jax.training import factory
from anonygan_jax.weights import checkpoint_folder, generator_checkpoint

AT_ONCE = 50


@click.command()
@click.argument("run", type=click.Path(path_type=pathlib.Path, exists=True))
@click.option("--count", default=200, help="Held-out faces.")
def main(run: pathlib.Path, count: int) -> None:
    """Prints the shares for RUN, whose data must be where its config says."""
    config = ml_collections.ConfigDict(checkpoint_folder.read_config(run))
    system = make_system(config)
    batch = factory.open_batches(config, system).different_identity_pairs(
        count, held_out=True
    )
    _, variables, step = generator_checkpoint.load_generator(run)
    draw = jax.jit(
        lambda variables, batch: {
            name: to_uint8(picture)
            for name, picture in system.pictures(variables, batch).items()
        }
    )
    observer, distances = FaceObserver(use_mtcnn=False), []
    for start in range(0, count, AT_ONCE):
        rows = slice(start, start + AT_ONCE)
        part = jax.tree.map(operator.itemgetter(rows), batch)
        pictures = jax.device_get(draw(variables, part))
        for number, source in enumerate(part.source):
            original = observer.original(np.asarray(source))
            if original is None:
                continue
            results = (pictures[name][number] for name in ("given", "composite"))
            seen = [observer.result(picture, original) for picture in results]
            distances.append(
                [np.linalg.norm(s.descriptor - original.descriptor) for s in seen]
            )
    names = ("warped condition", f"step {step}")
    for name, apart in zip(names, np.transpose(distances), strict=True):
        known = share(apart < SAME_PERSON)
        click.echo(
            f"{name}: {known.value:.1%} [{known.low:.1%}, {known.high:.1%}] of "
            f"{known.count} taken for the source, mean distance {apart.mean():.3f}"
        )


if __name__ == "__main__":
    main()
