"""A play for machines."""

from typing import Any

from cli.drawing.series import Step
from cli.simulate.play.playing import Played
from cli.simulate.play.record import Record
from cli.simulate.play.report import by_tier, endpoints_of, minutes_of
from cli.simulate.play.tempo import series_of


def facts_of(played: Played) -> dict[str, Any]:
    """Claims, minutes, endpoints with their tempo and runs. Times in seconds since minute 0, intervals in ms."""
    return {
        "scenario": played.scenario.name,
        "held": played.held,
        "notes": list(played.notes),
        "claims": [
            {"claim": verdict.claim, "held": verdict.held, "evidence": verdict.evidence} for verdict in played.verdicts
        ],
        "minutes": minutes_of(played),
        "sums": played.scenario.sums(played.record),
        "endpoints": [
            {**row, **_tempo(played.record, member.name)}
            for row, member in zip(endpoints_of(played.record), by_tier(played.record), strict=True)
        ],
    }


def _tempo(record: Record, name: str) -> dict[str, Any]:
    series = series_of(record, name)
    return {
        "slots": [run.slot / 1000 for run in record.of(name)],
        "tempo": [_step(step) for step in series.steps],
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "at": step.at / 1000,
        "intervalMs": step.interval_ms,
        "baselineMs": step.baseline_ms,
        "source": step.source,
        "author": step.author,
        "reason": step.reason,
    }
