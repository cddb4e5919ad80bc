"""Time stamps that go on where those of joined recordings start again."""

from collections.abc import Sequence

RESTART = 0.5  # seconds: a smaller step back is jitter, not a restart
REMEMBERED = 8  # offsets, of which the smallest that fits is used


class Timeline:
    """Offsets to the time stamps of one stream.

    Attributes:
      offsets: seconds, of each restart.
    """

    def __init__(self, known: Sequence[float] = ()) -> None:
        """Starts a stream.

        Args:
          known: offsets of the restarts of another stream of the file, with which this
            one is to stay in time.
        """
        self.offsets: list[float] = []
        self._known = known
        self._last: float | None = None

    def offset(self, seconds: float, step: float) -> float:
        """Returns what is to be added to the next time stamp; 0 before a restart.

        A single wrong time stamp has no effect on those after it.

        Args:
          seconds: the time stamp; the result may still be up to `RESTART` too small.
          step: seconds between this frame and the one before.
        """
        last = seconds if self._last is None else self._last
        offsets = (0.0, *self.offsets[-REMEMBERED:])
        fitting = [o for o in offsets if seconds + o > last - RESTART]
        if fitting:
            offset = min(fitting)
        else:
            number = len(self.offsets)
            known = self._known[number] if number < len(self._known) else 0.0
            offset = max(known, last + step - seconds)
            self.offsets.append(offset)
        self._last = max(last, seconds + offset)
        return offset

    def note(self) -> str:
        """Returns how many restarts there were; "" of none."""
        number = len(self.offsets)
        return f"{number} restart{'s' * (number > 1)} of time stamps" * (number > 0)
