"""What travels on the run queue. Readers tolerate unknown fields, so that versions can overlap during a deploy."""

from collections.abc import Mapping
from dataclasses import dataclass

from rubato.domain.endpoint import EndpointState
from rubato.domain.instant import MINUTE, SECOND
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
class AnalysisMessage:
    """Have the planner look at an endpoint, at `due` (ms)."""

    endpoint_id: str
    due: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleMessage:
    """Have a job's rules look at its endpoints, at `due` (ms)."""

    job_id: str
    due: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningMessage:
    """Make the endpoints of a tenant follow its signing keys, at `due` (ms)."""

    tenant_id: str
    due: int


Message = (
    RunMessage
    | JobMessage
    | TenantMessage
    | TellMessage
    | NotifyMessage
    | RuleMessage
    | AnalysisMessage
    | SigningMessage
)


# A message of rules that comes earlier than this is not slept for: a worker does not sleep for long.
LOOK_EARLY_MS = 2 * SECOND
# As long as the queue can delay. A wake for later is not sent: it would have to circle.
NEAR_MS = 15 * MINUTE


def by_look(messages: Mapping[str, RuleMessage], now: int) -> list[tuple[RuleMessage, list[str]]]:
    """Messages by their ids, those of one job that are due now together: (the latest of them, the ids of all)."""
    looks: dict[tuple[str, int], list[tuple[RuleMessage, str]]] = {}
    for message_id, message in messages.items():
        waits_for = message.due if message.due - now > LOOK_EARLY_MS else 0
        looks.setdefault((message.job_id, waits_for), []).append((message, message_id))
    return [
        (max((message for message, _ in each), key=lambda message: message.due), [message_id for _, message_id in each])
        for each in looks.values()
    ]


def run_message(endpoint_id: str, state: EndpointState) -> RunMessage:
    """The message of the state's claim."""
    claim = state.claim
    assert claim is not None
    return RunMessage(
        endpoint_id=endpoint_id, due=claim.call_at, run_id=claim.run_id, fence=claim.fence, lane=lane_of(state)
    )
