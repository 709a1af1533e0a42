"""Notices in memory."""

from rubato.domain.notices import Notice


class MemoryNotifications:
    """Implements ports.Notifications in memory; set `failing` for a destination that is down, `is_on` for none."""

    def __init__(self) -> None:
        self.is_on = True
        self.failing = False
        self.published: list[Notice] = []

    def publish(self, notice: Notice) -> None:
        """Kept."""
        if self.failing:
            raise ConnectionError("the destination is down")
        self.published.append(notice)
