"""One deadline for everything an attempt does."""

from collections.abc import Callable


class Deadline:
    """Starts when it is made. `clock` gives seconds and never goes back."""

    def __init__(self, clock: Callable[[], float], timeout_ms: int) -> None:
        self._clock = clock
        self._timeout_ms = timeout_ms
        self._started = clock()

    def left(self) -> float:
        """Seconds until the deadline, above zero; raises TimeoutError once it has passed."""
        left = self._started + self._timeout_ms / 1000 - self._clock()
        if left <= 0:
            raise TimeoutError("the time is up")
        return left

    def elapsed_ms(self) -> int:
        """Since the start."""
        return round((self._clock() - self._started) * 1000)
