"""`rubato dlq`: messages that no function could handle, looked at and sent again with the deployer's credentials."""

import json
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.dead_letters import DeadLetter, DeadLetterQueue
from cli.deployed import find_stack
from cli.trouble import Trouble
from rubato.adapters.clock import SystemClock
from rubato.domain.instant import to_iso
from rubato.domain.lane import Lane

app = typer.Typer(
    help="List and replay the messages that failed five times, with your AWS credentials.", no_args_is_help=True
)

_RUN_OUTPUTS = {
    Lane.FAST: "RunQueueUrl",
    Lane.SLOW: "SlowRunQueueUrl",
    Lane.RULES: "RuleQueueUrl",
    Lane.ANALYSES: "AnalysisQueueUrl",
}
_DEAD_OUTPUTS = ("DeadLetterQueueUrl", "RuleDeadLetterQueueUrl", "AnalysisDeadLetterQueueUrl")

Stack = Annotated[str, typer.Option(help="Name of the deployed stack.", envvar="RUBATO_STACK")]
Region = Annotated[str | None, typer.Option(help="AWS region; by default that of your AWS configuration.")]
Local = Annotated[int | None, typer.Option("--local", metavar="PORT", help="The local stack on this port instead.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Limit = Annotated[int, typer.Option(min=1, max=10_000, help="Look at so many messages at most.")]


@app.command("list")
def list_letters(
    stack: Stack = "rubato", region: Region = None, local: Local = None, limit: Limit = 100, as_json: AsJson = False
) -> None:
    """Show what lies there. Nothing is taken away; each look adds one to the times that a message was received."""
    try:
        with _queue(stack, region, local).taken(limit) as letters:
            shown = [_view(letter) for letter in letters]
    except (BotoCoreError, ClientError) as error:
        raise _refused(error) from None
    if as_json:
        typer.echo(json.dumps(shown))
    else:
        Console().print(_table(shown) if shown else "the dead-letter queues are empty")


@app.command()
def replay(
    ids: Annotated[list[str] | None, typer.Option("--id", help="Only this message; may be repeated.")] = None,
    discard: Annotated[bool, typer.Option("--discard", help="Delete those that are unreadable.")] = False,
    stack: Stack = "rubato",
    region: Region = None,
    local: Local = None,
    limit: Limit = 1_000,
    as_json: AsJson = False,
) -> None:
    """Send messages again. What is stale meanwhile calls nobody: the dispatcher checks each against its endpoint."""
    queue = _queue(stack, region, local)
    try:
        with queue.taken(limit) as letters:
            told = _replay(queue, _chosen(letters, ids), discard)
    except (BotoCoreError, ClientError) as error:
        raise _refused(error) from None
    typer.echo(
        json.dumps(told) if as_json else "{replayed} sent again, {discarded} discarded, {left} left".format(**told)
    )
    if told["refused"]:
        raise Trouble(f"{told['refused']} could not be sent; they lie where they were, try again")


def _replay(queue: DeadLetterQueue, letters: Sequence[DeadLetter], discard: bool) -> dict[str, int]:
    readable = [letter for letter in letters if letter.message is not None]
    unreadable = [letter for letter in letters if letter.message is None] if discard else []
    replayed = queue.send_again(readable, SystemClock().now())
    queue.remove(unreadable)
    return {
        "replayed": replayed,
        "discarded": len(unreadable),
        "left": len(letters) - replayed - len(unreadable),
        "refused": len(readable) - replayed,
    }


def _chosen(letters: Sequence[DeadLetter], ids: Sequence[str] | None) -> list[DeadLetter]:
    if not ids:
        return list(letters)
    missing = sorted(set(ids) - {letter.message_id for letter in letters})
    if missing:
        raise Trouble(
            f"no message {', '.join(missing)} was found; `rubato dlq list` shows the ids, --limit looks further"
        )
    return [letter for letter in letters if letter.message_id in ids]


def _queue(stack: str, region: str | None, local: int | None) -> DeadLetterQueue:
    found = find_stack(stack, region, local)
    run_urls = {lane: found.output(name) for lane, name in _RUN_OUTPUTS.items()}
    return DeadLetterQueue(found.client("sqs"), [found.output(name) for name in _DEAD_OUTPUTS], run_urls)


def _view(letter: DeadLetter) -> dict[str, Any]:
    return {
        "messageId": letter.message_id,
        "kind": letter.kind,
        "about": letter.about,
        "lane": letter.lane.value,
        "sentAt": to_iso(letter.sent_at),
        "ageSeconds": letter.age_s(SystemClock().now()),
        "received": letter.received,
    }


def _table(shown: Sequence[dict[str, Any]]) -> Table:
    table = Table("Message", "Kind", "About", "Sent", "Received")
    for each in shown:
        table.add_row(each["messageId"], each["kind"], escape(each["about"]), each["sentAt"], str(each["received"]))
    return table


def _refused(error: Exception) -> Trouble:
    return Trouble(
        f"{error}\nThis needs sqs:ReceiveMessage, DeleteMessage and ChangeMessageVisibility on the dead-letter queues, "
        "and for replay sqs:SendMessage on the queues that feed them."
    )
