"""What travels on the run queue. Readers tolerate unknown fields, so that versions can overlap during a deploy."""

from dataclasses import dataclass

from rubato.domain.endpoint import EndpointState
from rubato.domain.lane import Lane, lane_of
from rubato.domain.notices import Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class RunMessage:
    """Run a claim at `due` (ms) or, without a run id, settle the endpoint then."""

    endpoint_id: str
    due: int
    run_id: str | None = None
    fence: int = 0
    lane: Lane = Lane.FAST


@dataclass(frozen=True, slots=True, kw_only=True)
class JobMessage:
    """Make the endpoints of a job follow its status, at `due` (ms)."""

    job_id: str
    due: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantMessage:
    """Release what the daily quota holds back of a tenant, at `due` (ms)."""

    tenant_id: str
    due: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TellMessage:
    """Tell those that follow an endpoint of its latest success, at `due` (ms)."""

    endpoint_id: str
    due: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NotifyMessage:
    """Tell people of a turn that the run brought if its holder, that of `fence`, has written its end; at `due` (ms)."""

    endpoint_id: str
    due: int
    run_id: str
    fence: int
    turn: Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleMessage:
    """Have a job's rules look at its endpoints, at `due` (ms)."""

    job_id: str
    due: int


Message = RunMessage | JobMessage | TenantMessage | TellMessage | NotifyMessage | RuleMessage


def run_message(endpoint_id: str, state: EndpointState) -> RunMessage:
    """The message of the state's claim."""
    claim = state.claim
    assert claim is not None
    return RunMessage(
        endpoint_id=endpoint_id, due=claim.call_at, run_id=claim.run_id, fence=claim.fence, lane=lane_of(state)
    )
