"""Signs that a run diverges, in what was logged of it."""

from collections.abc import Iterable, Mapping, Sequence

from anonygan_jax.training.step import SKIPPED

COLLAPSED_BELOW = 0.05  # loss of a discriminator that tells all results apart
NUM_STEPS = 500  # for so many steps: every long run that failed here had that sign
_DISCRIMINATORS = ("discriminator", "critic")  # ends of the names of their losses


class DivergenceWatch:
    """Looks at the losses of a run as they come."""

    def __init__(self) -> None:
        self._step = 0
        self._low_since: dict[str, int] = {}

    def add(self, line: Mapping[str, float]) -> None:
        """Takes what was logged at one step: "step", and numbers by name."""
        self._step = int(line["step"])
        for name, value in line.items():
            # Names with a folder, as learning_rate/discriminator, are no losses.
            if "/" in name or not name.endswith(_DISCRIMINATORS):
                continue
            if value < COLLAPSED_BELOW:
                self._low_since.setdefault(name, self._step)
            else:
                self._low_since.pop(name, None)

    def alerts(self) -> list[str]:
        """Returns a sentence for each discriminator that has won; none if all is well.

        One has won if its loss was below `COLLAPSED_BELOW` wherever it was logged in
        the last `NUM_STEPS` steps or more: the generator learns nothing from it.
        """
        return [
            f"{name} has been below {COLLAPSED_BELOW} since step {since:,}: the "
            "generator learns nothing from it any more; stop, lower the "
            "discriminators' rate"
            for name, since in self._low_since.items()
            if self._step - since >= NUM_STEPS
        ]


def alerts(
    lines: Sequence[Mapping[str, float]], skipped: Iterable[int] = ()
) -> list[str]:
    """Returns the alerts after all lines of a run, in order.

    Args:
      lines: what was logged.
      skipped: steps whose updates were left out, not all of which were logged.
    """
    watch = DivergenceWatch()
    for line in lines:
        watch.add(line)
    return [*watch.alerts(), *_of_skipped(lines, skipped)]


def _of_skipped(
    lines: Sequence[Mapping[str, float]], skipped: Iterable[int]
) -> list[str]:
    """A sentence if updates of the last `NUM_STEPS` steps were left out."""
    steps = {*skipped, *(int(line["step"]) for line in lines if line.get(SKIPPED))}
    logged = int(lines[-1]["step"]) if lines else 0
    # Later ones are of the run before it went on from an older checkpoint.
    late = [step for step in steps if abs(step - logged) < NUM_STEPS]
    if not late:
        return []
    return [
        f"updates left out in the last {NUM_STEPS} steps: {len(late)}, the newest at "
        f"step {max(late):,}: their losses or gradients are not finite; if the run "
        "stops, lower the learning rates"
    ]
