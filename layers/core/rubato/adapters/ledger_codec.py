"""A job's ledger of rules to plain JSON-able values and back. Short names: bytes are billed."""

from typing import Any

from rubato.domain.rule_ledger import Deed, Episode, Ledger, RuleState, Trouble, TroubleKind
from rubato.domain.rules import read_action, spell_action

Plain = dict[str, Any]


def dump_ledger(ledger: Ledger) -> Plain:
    """All but the job's id and the version."""
    reasons = list(dict.fromkeys(deed.reason for deed in ledger.pending))  # the deeds of a firing share one
    return {
        "y": reasons,
        "s": [_dump_state(state) for state in ledger.states],
        "p": [_dump_deed(deed, reasons) for deed in ledger.pending],
        "t": [[each.rule, each.kind.value, each.message, each.at] for each in ledger.troubles],
        "n": ledger.deeds,
        "w": ledger.wake_at,
        "m": [ledger.spell_at, ledger.spell, ledger.braked_until],
    }


def load_ledger(job_id: str, version: int, plain: Plain) -> Ledger:
    """The ledger."""
    spell_at, spell, braked_until = plain.get("m", (0, 0, None))
    return Ledger(
        job_id=job_id,
        version=version,
        states=tuple(_load_state(each) for each in plain["s"]),
        pending=tuple(_load_deed(each, plain["y"]) for each in plain["p"]),
        troubles=tuple(
            Trouble(rule=rule, kind=TroubleKind(kind), message=message, at=at) for rule, kind, message, at in plain["t"]
        ),
        deeds=plain["n"],
        wake_at=plain["w"],
        spell_at=spell_at,
        spell=spell,
        braked_until=braked_until,
    )


def _dump_state(state: RuleState) -> Plain:
    plain: Plain = {"r": state.name, "q": state.condition, "c": state.fired_count}
    if state.episode is not None:
        plain["e"] = [state.episode.since, int(state.episode.held), int(state.episode.fired)]
    if state.fired_at is not None:
        plain["f"] = state.fired_at
    return plain


def _load_state(plain: Plain) -> RuleState:
    episode = plain.get("e")
    return RuleState(
        name=plain["r"],
        condition=plain["q"],
        episode=Episode(since=episode[0], held=bool(episode[1]), fired=bool(episode[2])) if episode else None,
        fired_count=plain["c"],
        fired_at=plain.get("f"),
    )


def _dump_deed(deed: Deed, reasons: list[str]) -> Plain:
    return {
        "n": deed.number,
        "r": deed.rule,
        "at": deed.at,
        "do": spell_action(deed.action),
        "y": reasons.index(deed.reason),
    }


def _load_deed(plain: Plain, reasons: list[str]) -> Deed:
    return Deed(
        number=plain["n"],
        rule=plain["r"],
        at=plain["at"],
        action=read_action(plain["do"], "do"),
        reason=reasons[plain["y"]],
    )
