"""Rules in answers."""

from typing import Annotated, Any

from pydantic import Field, WithJsonSchema

from rubato.domain.firing import Blocked
from rubato.domain.rule_ledger import TroubleKind
from rubato.domain.rules import Fire
from rubato.interface.wire import Output, Time

_KINDS = ("proposeInterval", "proposeNextTime", "pauseUntil", "clearHints")
_ACTION = {
    "type": "object",
    "properties": {kind: {"type": "object", "required": ["endpoint"]} for kind in _KINDS},
    "additionalProperties": False,
    "minProperties": 1,
    "maxProperties": 1,
}
ActionJson = Annotated[dict[str, Any], WithJsonSchema(_ACTION)]


class RuleView(Output):
    """A rule as it was written, what was left out filled in."""

    name: str = Field(description="Unique in the job.")
    when: str = Field(description="Its condition, in JMESPath.")
    for_: str = Field(alias="for", description="How long the condition must have held.")
    cooldown: str = Field(description="It does not fire again within.")
    fire: Fire = Field(description="edge or once.")
    then: list[ActionJson] = Field(description="What it does when it fires.")
    otherwise: list[ActionJson] = Field(description="What it does when the condition falls false.")


class RuleTrouble(Output):
    """What went wrong with a rule, until it goes well again."""

    rule: str = Field(description="The rule's name.")
    kind: TroubleKind = Field(description="evaluation: the condition has no value; action: one was refused or failed.")
    message: str = Field(description="Why.")
    at: Time = Field(description="Since when.")


class RuleWarning(Output):
    """What is odd about a rule."""

    rule: str = Field(description="The rule's name.")
    message: str = Field(description="Such as an endpoint that it names and that does not exist.")


class PreviewedRule(Output):
    """What a rule would do now."""

    name: str = Field(description="The rule's name.")
    value: Annotated[Any, WithJsonSchema({})] = Field(
        description="What its condition is worth; null also for what is missing or too large to show, and without the"
        " scope runs:read."
    )
    held_seconds: int = Field(description="For how long it has been true; 0 while it is not.")
    would_fire: bool = Field(description="Whether it would fire.")
    blocked_by: Blocked | None = Field(
        description="Why not: value (it is false), for, cooldown, fired (already, while it stayed true), once, inert "
        "(an endpoint is missing), error, or job (which does not run)."
    )
    actions: list[ActionJson] = Field(description="What it would do: then when it fires, otherwise when it falls.")
    error: str | None = Field(description="Why its condition has no value.")


class RulesPreview(Output):
    """What the rules of a job would do over a document. Nothing was done."""

    items: list[PreviewedRule] = Field(description="In the order of the rules.")
