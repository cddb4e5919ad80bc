"""Signs that a run diverges, in what was logged of it."""

from collections.abc import Iterable, Mapping

COLLAPSED_BELOW = 0.05  # loss of a discriminator that tells all results apart
NUM_STEPS = 500  # for so many steps: every long run that failed here had that sign
_DISCRIMINATORS = ("discriminator", "critic")  # ends of the names of their losses


def alerts(lines: Iterable[Mapping[str, float]]) -> list[str]:
    """Returns a sentence for each discriminator that has won; none for a healthy run.

    One has won if its loss was below `COLLAPSED_BELOW` wherever it was logged in the
    last `NUM_STEPS` steps or more: the generator learns nothing from it any more.

    Args:
      lines: what was logged, "step" and losses by name, in order.
    """
    low_since: dict[str, int] = {}
    step = 0
    for line in lines:
        step = int(line["step"])
        for name, value in line.items():
            if not name.endswith(_DISCRIMINATORS):
                continue
            if value < COLLAPSED_BELOW:
                low_since.setdefault(name, step)
            else:
                low_since.pop(name, None)
    return [
        f"{name} has been below {COLLAPSED_BELOW} since step {since:,}: the generator "
        "learns nothing from it any more; stop, lower the discriminators' rate"
        for name, since in low_since.items()
        if step - since >= NUM_STEPS
    ]
