"""`rubato apply` and `rubato export`."""

import json
import sys
from typing import Annotated

import typer

from cli.api import Api, Key, Url
from cli.blueprints.applying import write_plan
from cli.blueprints.document import read_blueprint
from cli.blueprints.exporting import export, hidden_headers
from cli.blueprints.notation import write_yaml
from cli.blueprints.plan import make_plan
from cli.blueprints.stored import find_job, read_stored, the_job
from cli.blueprints.telling import tell_applied, tell_plan
from cli.blueprints.variables import read_settings
from cli.drawing.attribution import visible
from cli.trouble import Trouble


def apply(
    file: Annotated[str, typer.Argument(help="A blueprint, JSON or YAML; - is the standard input.")],
    url: Url,
    key: Key,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="name=value, for ${name} in the file; as often as needed.")
    ] = None,
    job: Annotated[str | None, typer.Option(help="Id of the job to change; by default the one of that name.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be done.")] = False,
    prune: Annotated[bool, typer.Option("--prune", help="Delete endpoints that the file does not name.")] = False,
    secrets: Annotated[
        bool, typer.Option("--secrets", help="Write headers that the API masks, though they can't be compared.")
    ] = False,
) -> None:
    """Create or change a job with its endpoints and rules as a file says; again, and there is nothing to do."""
    blueprint = read_blueprint(file, read_settings(settings or ()))
    with Api(url, key) as api:
        known = the_job(api, job) if job else find_job(api, blueprint.job["name"])
        plan = make_plan(blueprint, read_stored(api, known) if known else None, prune=prune, secrets=secrets)
        for line in tell_plan(plan):
            typer.echo(line)
        if not plan.changes:
            typer.echo(f"nothing to do: job {blueprint.job['name']} is as {blueprint.origin} says")
        elif dry_run:
            typer.echo("nothing was written: --dry-run")
        else:
            _ask(yes)
            applied = write_plan(api, plan, known["jobId"] if known else None)
            for line in tell_applied(applied.job_id, list(applied.done), list(applied.left)):
                typer.echo(line)


def export_job(
    job: Annotated[str, typer.Argument(help="Id or name of the job.")],
    url: Url,
    key: Key,
    as_yaml: Annotated[bool, typer.Option("--yaml", help="YAML instead of JSON.")] = False,
    full: Annotated[bool, typer.Option("--full", help="Every field, also what is at its default.")] = False,
) -> None:
    """Print a job as a blueprint: applied to the same job, it changes nothing."""
    with Api(url, key) as api:
        found = export(read_stored(api, the_job(api, job)), full=full)
    hidden = hidden_headers(found)
    if hidden:
        typer.echo(
            f"secret, and so ***: {', '.join(hidden)}. The same job keeps them; for another one put the values in.",
            err=True,
        )
    if as_yaml:
        typer.echo(write_yaml(found), nl=False)
    else:
        for line in json.dumps(found, indent=2, ensure_ascii=False).split("\n"):
            typer.echo(visible(line))


def _ask(yes: bool) -> None:
    if yes:
        return
    if not _is_attended():
        raise Trouble("nobody is there to ask; look at --dry-run, then say --yes")
    if not typer.confirm("Write this?"):
        raise Trouble("nothing was written")


def _is_attended() -> bool:
    return sys.stdin.isatty()
