"""Tick workers in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass
class MemoryTickWorkers:
    """Implements ports.TickWorkers; `started` holds the shares that wait for somebody to work them. Set `failing`."""

    started: list[list[int]] = field(default_factory=list)
    failing: bool = False

    def start(self, shards: Sequence[int]) -> None:
        """Only notes the share."""
        if self.failing:
            raise ConnectionError("no worker can be started")
        self.started.append(list(shards))
