"""Time and chance, from the machine."""

import os
import time


class SystemClock:
    """Implements ports.Clock."""

    def now(self) -> int:
        """Milliseconds since the epoch, rounded down."""
        return time.time_ns() // 1_000_000

    def sleep_until(self, instant_ms: int) -> None:
        """Sleeps again when woken early."""
        while (left := instant_ms - time.time_ns() / 1_000_000) > 0:
            time.sleep(left / 1000)


class SystemEntropy:
    """Implements ports.Entropy."""

    def bytes(self, count: int) -> bytes:
        """From the operating system."""
        return os.urandom(count)
