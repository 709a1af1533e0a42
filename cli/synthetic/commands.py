"""`rubato synthetic setup`, `check` and `remove`."""

import json
import time
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.api import Api, Key, Refusal, Url
from cli.blueprints.applying import write_plan
from cli.blueprints.plan import make_plan
from cli.blueprints.stored import find_job, read_stored
from cli.blueprints.telling import tell_applied, tell_plan
from cli.drawing.durations import spell
from cli.synthetic.job import JOB, blueprint, names
from cli.synthetic.verdict import Bounds, Finding, judge, missing
from cli.trouble import Trouble
from rubato.domain.instant import DAY
from rubato.domain.quota import runs_allowed


def setup(
    url: Url,
    key: Key,
    interval: Annotated[int, typer.Option(min=10, max=86_400, help="Seconds between two runs of an endpoint.")] = 60,
) -> None:
    """Create the job "rubato synthetic", or bring it up to date; again, and there is nothing to do."""
    with Api(url, key) as api:
        _require_targets(api)
        wanted = blueprint(api.url, interval * 1000)
        known = find_job(api, JOB)
        plan = make_plan(wanted, read_stored(api, known) if known else None)
        for line in tell_plan(plan):
            typer.echo(line)
        if plan.changes:
            applied = write_plan(api, plan, known["jobId"] if known else None)
            for line in tell_applied(applied.job_id, list(applied.done), list(applied.left)):
                typer.echo(line)
        if known is not None and known["status"] == "paused":
            api.call("PATCH", f"/jobs/{known['jobId']}", {"status": "active", "reason": "rubato synthetic setup"})
            typer.echo(f"resumed job {JOB}")
        elif not plan.changes:
            typer.echo(f"nothing to do: job {JOB} is there, every {spell(interval * 1000)}")
        _warn_of_quota(api, len(wanted.endpoints) * DAY // (interval * 1000))


def check(
    url: Url,
    key: Key,
    window_hours: Annotated[int, typer.Option(min=1, max=720, help="How far to look back.")] = 1,
    min_success: Annotated[float, typer.Option(min=0, max=100, help="Per cent of each endpoint's runs.")] = 90,
    max_lateness_ms: Annotated[int, typer.Option(min=0, help="Of 95 in 100 runs.")] = 1000,
    as_json: Annotated[bool, typer.Option("--json", help="JSON instead of a table.")] = False,
) -> None:
    """Exit with 0 when all is well, 1 when it is not or what should have run did not, 2 when the API can't be asked."""
    bounds = Bounds(min_success=min_success / 100, max_lateness_ms=max_lateness_ms)
    with Api(url, key) as api:
        job = find_job(api, JOB)
        if job is None:
            raise Trouble(f"there is no job {JOB!r}; `rubato synthetic setup` makes it")
        findings = _findings(api, job["jobId"], window_hours, bounds)
    well = not any(finding.problems for finding in findings)
    if as_json:
        facts = {"ok": well, "jobId": job["jobId"], "windowHours": window_hours}
        typer.echo(json.dumps(facts | {"endpoints": [finding.to_json() for finding in findings]}))
    else:
        _show(findings, window_hours, well)
    raise typer.Exit(0 if well else 1)


def remove(url: Url, key: Key) -> None:
    """Delete the job's endpoints and archive it; its runs stay readable until their retention ends."""
    with Api(url, key) as api:
        job = find_job(api, JOB)
        if job is None:
            typer.echo(f"nothing to do: there is no job {JOB}")
            return
        reason = "rubato synthetic remove"
        for endpoint in list(api.every(f"/jobs/{job['jobId']}/endpoints")):
            api.call("DELETE", f"/endpoints/{endpoint['endpointId']}", reason=reason)
        api.call("DELETE", f"/jobs/{job['jobId']}", reason=reason)
        typer.echo(f"removed job {JOB} ({job['jobId']})")


def _require_targets(api: Api) -> None:
    try:
        api.call("GET", "/synthetic/health")
    except Refusal as refused:
        if refused.status != 404:
            raise
        raise Trouble("the deployment has no targets at /synthetic; deploy it with SyntheticTargets=on") from None


def _warn_of_quota(api: Api, runs_a_day: int) -> None:
    try:
        limit = api.call("GET", "/usage")["limits"]["maxRunsPerDay"]
    except Refusal:  # a key that is kept to some jobs may not ask; the job is made all the same
        return
    allowed = runs_allowed(limit or 0, is_synthetic=True)
    if allowed and runs_a_day > allowed:
        hint = "take a longer --interval"
        typer.echo(
            f"{runs_a_day} runs a day are more than the {allowed} that synthetic jobs may have; {hint}", err=True
        )


def _findings(api: Api, job_id: str, window_hours: int, bounds: Bounds) -> list[Finding]:
    known = {each["name"]: each for each in api.every(f"/jobs/{job_id}/endpoints")}
    wanted = names(blueprint(api.url, interval_ms=1))
    found = []
    for name in [*wanted, *(known.keys() - set(wanted))]:
        if name not in known:
            found.append(missing(name))
            continue
        health = api.call("GET", f"/endpoints/{known[name]['endpointId']}/health", windowHours=window_hours)
        found.append(judge(known[name], health, bounds, round(time.time() * 1000)))
    return found


def _show(findings: list[Finding], window_hours: int, well: bool) -> None:
    console = Console(highlight=False)
    table = Table(title=f"{JOB}, the last {window_hours} h")
    for column in ("Endpoint", "Runs", "Success", "Late p95", "Took p95", "Last run", "Is well"):
        table.add_column(column, justify="left" if column in ("Endpoint", "Last run", "Is well") else "right")
    for finding in findings:
        table.add_row(*map(escape, _cells(finding)), style=None if not finding.problems else "red")
    console.print(table)
    for finding in findings:
        for problem in finding.problems:
            console.print(escape(f"{finding.name}: {problem}"), style="red", soft_wrap=True)
    console.print("all is well" if well else "not all is well")


def _cells(finding: Finding) -> list[str]:
    rate, late, took = finding.success_rate, finding.p95_lateness_ms, finding.p95_duration_ms
    return [
        finding.name,
        str(finding.runs),
        "" if rate is None else f"{rate:.1%}",
        "" if late is None else spell(late),
        "" if took is None else spell(took),
        finding.last_run_at or "none yet",
        "no" if finding.problems else "yes",
    ]
