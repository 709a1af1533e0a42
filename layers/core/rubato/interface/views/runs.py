"""From runs to answers."""

from typing import Any

from rubato.domain.exchange import Attempt
from rubato.domain.runs import Run
from rubato.interface.outputs.runs import AttemptView, ReceivedView, RunDetails, RunView, SentView
from rubato.interface.views.headers import by_name
from rubato.interface.views.steering import hint_view


def run_view(run: Run) -> RunView:
    """A run in a list."""
    return RunView(**_run_fields(run))


def run_details(run: Run) -> RunDetails:
    """A run in full."""
    sent, received = run.request, run.response
    return RunDetails(
        **_run_fields(run),
        hint=hint_view(run.hint) if run.hint else None,
        attempts=[_attempt_view(attempt) for attempt in run.attempts],
        request=SentView(method=sent.method, url=sent.url, headers=by_name(sent.headers), body=sent.body)
        if sent
        else None,
        response=ReceivedView(
            status_code=received.status_code,
            headers=by_name(received.headers),
            body=received.body,
            truncated=received.truncated,
        )
        if received
        else None,
    )


def _run_fields(run: Run) -> dict[str, Any]:
    return {
        "run_id": run.run_id,
        "job_id": run.job_id,
        "endpoint_id": run.endpoint_id,
        "slot": run.slot,
        "due_at": run.due_at,
        "started_at": run.started_at,
        "lateness_ms": run.lateness_ms,
        "finished_at": run.finished_at,
        "duration_ms": run.duration_ms,
        "status": run.status,
        "error_kind": run.error_kind,
        "error_message": run.error_message,
        "status_code": run.status_code,
        "source": run.source,
        "hint_id": run.hint_id,
    }


def _attempt_view(attempt: Attempt) -> AttemptView:
    return AttemptView(
        attempt=attempt.attempt,
        started_at=attempt.started_at,
        duration_ms=attempt.duration_ms,
        status_code=attempt.status_code,
        error_kind=attempt.error_kind,
        error_message=attempt.error_message,
    )
