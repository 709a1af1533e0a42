"""What a person sees of a play: minute by minute, the tempo drawn, phase by phase, and each claim."""

from collections.abc import Iterator, Sequence
from itertools import pairwise
from math import ceil

from cli.drawing.chart import step_chart
from cli.drawing.durations import spell
from cli.drawing.series import Series, Step, Window
from cli.drawing.tempo import timeline
from cli.simulate.play.playing import Played
from cli.simulate.play.record import Member, Ran, Record, clock, clocks
from cli.simulate.play.scenario import MINUTE, Verdict
from cli.simulate.play.tempo import series_of

WIDTH = 110
SECOND = 1_000
_MOST_ROWS = 120
_TIERS = ("health", "investigation", "recovery", "alert", "none")


def told(played: Played) -> Iterator[str]:
    """Everything."""
    scenario, record = played.scenario, played.record
    yield f"{scenario.name}: {scenario.summary}"
    yield from played.notes
    yield from _titled("Minute by minute", table(minutes_of(played)))
    window = Window(since=0, until=record.until, label=lambda at: f"{at // MINUTE} min")
    many = [series_of(record, member.name) for member in by_tier(record)]
    yield from _titled("Tempo, the higher the faster; + is a run of one that sleeps", _by_tier(record, many, window))
    for series in many:
        if any(step.interval_ms != step.baseline_ms for step in series.steps):
            yield from ("", *step_chart(series, _exact(window), WIDTH, height=5))
    yield from _titled("Endpoints", table(endpoints_of(record)))
    if scenario.phases:
        yield from _titled("Phases", phases_of(played))
    if sums := scenario.sums(record):
        yield from _titled("Sums", table(sums))
    yield from _titled("Claims", verdict_lines(played.verdicts))


def verdict_lines(verdicts: Sequence[Verdict]) -> Iterator[str]:
    """One line each, and how many held."""
    for verdict in verdicts:
        yield f"{'pass' if verdict.held else 'FAIL'}  {verdict.claim}  [{verdict.evidence}]"
    failed = sum(not verdict.held for verdict in verdicts)
    yield f"{len(verdicts) - failed} of {len(verdicts)} claims hold" + (f", {failed} FAIL" if failed else "")


def minutes_of(played: Played) -> list[dict[str, str]]:
    """A row for each minute: the scenario's own columns, runs by tier, and what was changed or ran out of sleep.

    Of a long scenario for some minutes each, so that a person can still read them.
    """
    record = played.record
    tiers = [tier for tier in _TIERS if record.names(tier)]
    stories = [series_of(record, name) for name in record.names()]
    rows = []
    step = ceil(played.scenario.minutes / _MOST_ROWS)
    for minute in range(0, record.until // MINUTE + 1, step):
        since, until = minute * MINUTE, (minute + step) * MINUTE
        counts = {tier: str(len(record.of_tier(tier, since=since, until=until)) or "") for tier in tiers}
        happened = [*_changes(stories, since, until), *_shots(record, since, until)]
        rows.append({"min": str(minute), **played.scenario.tell(minute), **counts, "what": "; ".join(happened)})
    return rows


def endpoints_of(record: Record) -> list[dict[str, str]]:
    """A row for each endpoint: tier, baseline, runs, and how close they came."""
    return [_endpoint(record, member) for member in by_tier(record)]


def phases_of(played: Played) -> Iterator[str]:
    """For each phase: how many ran, what ran once, and whose tempo is not its baseline when it ends."""
    edges = [*(minute for minute, _ in played.scenario.phases), played.scenario.minutes + 1]
    for (since, until), (_, name) in zip(pairwise(edges), played.scenario.phases, strict=True):
        yield f"{name} ({since}-{until - 1}): {_phase(played.record, since * MINUTE, until * MINUTE)}"


def table(rows: Sequence[dict[str, str]]) -> list[str]:
    """Left-aligned columns, numbers to the right."""
    if not rows:
        return []
    columns = list(rows[0])
    widths = {column: max(len(column), *(len(row[column]) for row in rows)) for column in columns}
    numeric = {column for column in columns if all(row[column].isdecimal() or not row[column] for row in rows)}

    def line(cells: dict[str, str]) -> str:
        return "  ".join(
            cells[column].rjust(widths[column]) if column in numeric else cells[column].ljust(widths[column])
            for column in columns
        ).rstrip()

    return [line({column: column for column in columns}), *(line(row) for row in rows)]


def by_tier(record: Record) -> list[Member]:
    """Health first, alerts last."""
    return sorted(record.members.values(), key=lambda member: (_TIERS.index(member.tier), member.created_at))


def _titled(title: str, lines: Iterator[str] | Sequence[str]) -> Iterator[str]:
    yield from ("", title, "-" * len(title))
    yield from lines


def _by_tier(record: Record, many: Sequence[Series], window: Window) -> Iterator[str]:
    axis, *rows = timeline(many, window, WIDTH)
    yield axis
    before = None
    for member, row in zip(by_tier(record), rows, strict=True):
        if member.tier != before:
            yield f"[{member.tier}]"
        before = member.tier
        yield row


def _exact(window: Window) -> Window:
    return Window(since=window.since, until=window.until, label=lambda at: clock(at // SECOND * SECOND))


def _changes(stories: Sequence[Series], since: int, until: int) -> Iterator[str]:
    for series in stories:
        for step in series.steps[1:]:
            if since <= step.at < until:
                by = f" ({step.author})" if step.author else ""
                yield f"{series.name} {_tempo(step)}{by}"


def _tempo(step: Step) -> str:
    if step.interval_ms is None:
        return "is paused" if step.source == "paused" else "sleeps"
    return f"every {spell(step.interval_ms)}" + (" as ever" if step.interval_ms == step.baseline_ms else "")


def _shots(record: Record, since: int, until: int) -> Iterator[str]:
    for run in record.of(*record.names(), since=since, until=until):
        if run.source == "ai-oneshot":
            yield f"{run.endpoint} runs{' and fails' if run.failed else ''}"


def _endpoint(record: Record, member: Member) -> dict[str, str]:
    runs = record.of(member.name)
    gaps = [later.slot - earlier.slot for earlier, later in pairwise(runs)]
    return {
        "endpoint": member.name,
        "tier": member.tier,
        "baseline": spell(member.baseline_ms) if member.baseline_ms is not None else next(iter(member.baseline)),
        "runs": str(len(runs)),
        "failed": str(sum(run.failed for run in runs)),
        "closest": spell(min(gaps)) if gaps else "",
        "first": clock(runs[0].slot) if runs else "",
        "last": clock(runs[-1].slot) if runs else "",
    }


def _phase(record: Record, since: int, until: int) -> str:
    runs = record.of(*record.names(), since=since, until=until)
    by_tier = [f"{_count(record, runs, tier)} {tier}" for tier in _TIERS if _count(record, runs, tier)]
    shots = [f"{run.endpoint} {clocks([run.slot])}" for run in runs if run.source == "ai-oneshot"]
    last = min(until, record.until) - 1
    tempo = [
        f"{series.name} every {spell(tightest)}"
        for series in (series_of(record, name) for name in record.names())
        if (tightest := series.tightest(last, last + 1)) not in (None, series.baseline(last, last + 1))
    ]
    parts = [", ".join(by_tier) or "no run", *(f"one-shots: {', '.join(shots)}" for _ in shots[:1])]
    return "; ".join([*parts, f"at its end {', '.join(tempo) or 'all at baseline'}"])


def _count(record: Record, runs: Sequence[Ran], tier: str) -> int:
    return sum(record.members[run.endpoint].tier == tier for run in runs)
