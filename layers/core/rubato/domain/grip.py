"""A claim from afar: as much of it as a tick must know to pass it by."""

from dataclasses import dataclass

from rubato.domain.endpoint import Claim


@dataclass(frozen=True, slots=True)
class Grip:
    """Until when a claim is in somebody's hands, and when its call is due if nobody began it. In ms."""

    until: int
    call_at: int | None

    def overdue_ms(self, now: int) -> int:
        """For how long the call has been waiting; 0 when it is not due or has begun."""
        return max(now - self.call_at, 0) if self.call_at is not None else 0


def grip(claim: Claim) -> Grip:
    """Of this claim."""
    return Grip(claim.lease_until, claim.call_at if claim.started_at is None else None)
