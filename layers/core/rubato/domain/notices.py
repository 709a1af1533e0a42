"""What the people behind a job want to hear of its endpoints: a turn for the worse, one for the better. Pure."""

import re
from dataclasses import dataclass
from enum import StrEnum

from rubato.domain.endpoint import Endpoint, EndpointState, RunStatus
from rubato.domain.jobs import Job, NotificationRules
from rubato.domain.runs import Run

MAX_MESSAGE = 200
# A redirect that was refused is named with its URL, and queries carry tokens.
_QUERY = re.compile(r"\?[^\s'\"]+")


class NoticeKind(StrEnum):
    """What a notice tells; the names are part of the public contract."""

    FAILING = "endpoint.failing"
    RECOVERED = "endpoint.recovered"
    AUTO_PAUSED = "endpoint.autoPaused"


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What the end of a run changed. `failures` in a row: with this run when it failed, before it when it succeeded.

    `succeeded_at` (ms) is the success before it; None when there was none.
    """

    kind: NoticeKind
    failures: int
    succeeded_at: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One message to people. `notice_id` is the same however often it is sent. Times in ms since the epoch.

    Holds no body, no header, no URL.
    """

    notice_id: str
    kind: NoticeKind
    tenant_id: str
    job_id: str
    job_name: str
    endpoint_id: str
    endpoint_name: str
    run_id: str
    failure_count: int
    at: int
    last_success_at: int | None = None
    status_code: int | None = None
    error_kind: str | None = None
    error_message: str | None = None


def turns(before: EndpointState, after: EndpointState) -> tuple[Turn, ...]:
    """The turns between an endpoint's state before and after the end of a run; none when a healthy one stays so."""
    found = []
    if after.failures > before.failures:
        found.append(Turn(kind=NoticeKind.FAILING, failures=after.failures, succeeded_at=before.succeeded_at))
    elif after.failures < before.failures:
        found.append(Turn(kind=NoticeKind.RECOVERED, failures=before.failures, succeeded_at=before.succeeded_at))
    if after.pause is not None and after.pause != before.pause:
        found.append(Turn(kind=NoticeKind.AUTO_PAUSED, failures=after.failures, succeeded_at=before.succeeded_at))
    return tuple(found)


def is_wanted(rules: NotificationRules, turn: Turn) -> bool:
    """Whether the job's people want to hear of it."""
    match turn.kind:
        case NoticeKind.FAILING:
            return turn.failures == rules.after_failures
        case NoticeKind.RECOVERED:
            return rules.on_recovery and turn.failures >= rules.after_failures
        case NoticeKind.AUTO_PAUSED:
            return rules.on_auto_pause


def has_happened(turn: Turn, state: EndpointState, run: Run) -> bool:
    """Whether the stored run and state bear out what its holder announced before writing its end."""
    recovered = turn.kind is NoticeKind.RECOVERED
    if run.is_late or run.status is not (RunStatus.SUCCESS if recovered else RunStatus.FAILURE):
        return False
    is_latest = state.last_run is not None and state.last_run.run_id == run.run_id
    return not is_latest or state.failures == (0 if recovered else turn.failures)


def notice_of(turn: Turn, job: Job, endpoint: Endpoint, run: Run) -> Notice:
    """The notice of a turn that `run` brought."""
    return Notice(
        notice_id=f"{run.run_id}/{turn.kind.value}",
        kind=turn.kind,
        tenant_id=run.tenant_id,
        job_id=job.job_id,
        job_name=job.name,
        endpoint_id=endpoint.id,
        endpoint_name=endpoint.config.name,
        run_id=run.run_id,
        failure_count=turn.failures,
        at=run.finished_at or run.due_at,
        last_success_at=turn.succeeded_at,
        status_code=run.status_code,
        error_kind=run.error_kind.value if run.error_kind else None,
        error_message=_QUERY.sub("?***", run.error_message)[:MAX_MESSAGE] if run.error_message else None,
    )
