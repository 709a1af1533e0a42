"""What must come out of the flash sale, one by one."""

from collections.abc import Iterator
from itertools import pairwise

from cli.drawing.durations import spell
from cli.simulate.play.record import Change, Ran, Record, clock, clocks
from cli.simulate.play.scenario import MINUTE, Verdict
from cli.simulate.scenarios.flash_sale.expected import (
    COOLDOWNS,
    EASED,
    FASTEST_MS,
    HEALTH,
    ONE_SHOTS,
    SECOND,
    SUMS,
    TIGHTENED,
    Reaction,
    Sum,
)

_HINT_WITHIN_MS = 2 * SECOND


def claims(record: Record) -> Iterator[Verdict]:
    """When scaling succeeds."""
    yield from _until_critical(record)
    yield from (_eased(record, each) for each in EASED)
    yield from _chain(record, last="slack_customer_support")
    yield from (_once_per_cooldown(record, name, cause_lasts=False) for name in ONE_SHOTS)
    yield _emergency(record, times=0)
    yield from _afterwards(record)
    yield from (_sum(record, each) for each in SUMS)
    yield from _frame(record)


def claims_when_scaling_fails(record: Record) -> Iterator[Verdict]:
    """The trouble goes on to the end."""
    yield from _until_critical(record)
    yield from _chain(record, last="emergency_oncall_page")
    lasting = ("cache_warm_up", "scale_checkout_workers", "slack_customer_support")
    yield from (_once_per_cooldown(record, name, cause_lasts=name in lasting) for name in ONE_SHOTS)
    yield _emergency(record, times=1)
    yield _still_tight(record)
    yield _no_manual_step(record)
    yield from _frame(record)


def _until_critical(record: Record) -> Iterator[Verdict]:
    yield _calm_before(record)
    yield from (_tightened(record, each) for each in TIGHTENED)


def _calm_before(record: Record) -> Verdict:
    runs = record.of(*record.names(), until=5 * MINUTE)
    rightly = {run.endpoint for run in runs} == set(HEALTH) and all(run.source == "baseline-interval" for run in runs)
    told = "; ".join(f"{name} {clocks(run.slot for run in runs if run.endpoint == name)}" for name in HEALTH)
    others = sorted({run.endpoint for run in runs} - set(HEALTH))
    return Verdict(
        "Minutes 0-4: only the three health checks run, at baseline.",
        rightly,
        told + (f"; but also {', '.join(others)}" if others else ""),
    )


def _tightened(record: Record, wanted: Reaction) -> Verdict:
    """The next run is due one new interval after the last, or at once: within a tick of that, before the old slot."""
    subject = wanted.affected
    tempo = spell(wanted.interval_ms or 0)
    claim = f"{wanted.phase.capitalize()}: {subject} tightens to {tempo} at the first observation."
    seen = _observed(record, wanted)
    change = _hinted(record, wanted, seen)
    if seen is None or change is None or change.after.get("intervalMs") != wanted.interval_ms:
        return Verdict(claim, False, _unseen(wanted, seen))
    last = max((run.slot for run in record.runs if run.endpoint == subject and run.slot < change.at), default=None)
    following = record.first(subject, since=change.at)
    asked = change.at if last is None else max(last + (wanted.interval_ms or 0), change.at)
    old = None if last is None or wanted.before_ms is None else last + wanted.before_ms
    due = following.slot if following else record.until
    return Verdict(
        claim,
        due <= asked + record.tick and (old is None or due < old) and _is_prompt(record, seen, change),
        f"{_reaction_told(wanted, seen, change)}; next run {clock(due)}"
        + (f", not {clock(old)}" if old is not None else "")
        + f": {spell(due - wanted.since * MINUTE)} after the phase began",
    )


def _eased(record: Record, wanted: Reaction) -> Verdict:
    subject, interval = wanted.affected, wanted.interval_ms
    to = f"eases to {spell(interval)}" if interval else "sleeps again"
    claim = f"{wanted.phase.capitalize()}: {subject} {to} at the first observation."
    seen = _observed(record, wanted)
    change = _hinted(record, wanted, seen)
    if seen is None or change is None:
        return Verdict(claim, False, _unseen(wanted, seen))
    # A run that began before the change was due under the old interval.
    later = [run for run in record.of(subject, since=change.at + record.grace) if run.slot > change.at]
    last = max(run.slot for run in record.runs if run.endpoint == subject and run.slot <= change.at + record.grace)
    gap = later[0].slot - last if later else None
    as_wanted = gap is None if interval is None else gap is not None and abs(gap - interval) <= record.grace
    next_told = f"next run {clock(later[0].slot)}, {spell(gap or 0)} after the last" if later else "no further run"
    return Verdict(
        claim, as_wanted and _is_prompt(record, seen, change), f"{_reaction_told(wanted, seen, change)}; {next_told}"
    )


def _observed(record: Record, wanted: Reaction) -> Ran | None:
    runs = record.of(wanted.observer, since=wanted.since * MINUTE)
    return runs[0] if runs else None


def _hinted(record: Record, wanted: Reaction, seen: Ran | None) -> Change | None:
    """The first change by a rule after the observation that leaves the interval behind; a renewed hint does not."""
    if seen is None:
        return None
    found = (
        each
        for each in record.changes_of(wanted.affected, "applyIntervalHint", "clearAdaptiveHints")
        if each.kind == "rule"
        and each.at >= seen.finished - record.grace
        and each.after.get("intervalMs") != wanted.before_ms
    )
    return next(found, None)


def _is_prompt(record: Record, seen: Ran, change: Change) -> bool:
    return change.at - seen.finished <= _HINT_WITHIN_MS + record.grace


def _reaction_told(wanted: Reaction, seen: Ran, change: Change) -> str:
    return (
        f"began {clock(wanted.since * MINUTE)}, seen by {wanted.observer} {clock(seen.slot)}, "
        f"rule {change.author} {change.at - seen.finished} ms after that run"
    )


def _unseen(wanted: Reaction, seen: Ran | None) -> str:
    if seen is None:
        return f"{wanted.observer} never ran after minute {wanted.since}"
    return f"seen by {wanted.observer} {clock(seen.slot)}, but no rule changed {wanted.affected} as it should"


def _chain(record: Record, last: str) -> Iterator[Verdict]:
    firsts = [
        ("health tightened", _first_tightening(record)),
        ("investigation", _first(record, *record.names("investigation"))),
        ("recovery", _first(record, *record.names("recovery"))),
        (f"alert {last}", _first(record, last)),
    ]
    times = [at for _, at in firsts if at is not None]
    told = ", ".join(f"{what} {_clock(at)}" for what, at in firsts)
    in_order = len(times) == len(firsts) and all(a < b for a, b in pairwise(times))
    yield Verdict("The chain runs in order: health, investigation, recovery, alert.", in_order, told)
    yield _within(record, "slack_operations", 5, 9, "slack_operations runs within minutes 5-8.")
    yield _within(record, "slow_page_analyzer", 9, 13, "slow_page_analyzer runs first in minutes 9-12.")
    yield from (_after_first_finding(record, name) for name in ("database_query_trace", "cache_warm_up"))
    yield _within(record, "scale_checkout_workers", 5, 21, "scale_checkout_workers runs by minute 20.")
    yield _support(record)


def _first_tightening(record: Record) -> int | None:
    tightened = [each.at for each in record.changes if each.action == "applyIntervalHint" and each.endpoint in HEALTH]
    return min(tightened, default=None)


def _first(record: Record, *names: str) -> int | None:
    return min((run.slot for run in record.of(*names, since=-record.until)), default=None)


def _clock(at: int | None) -> str:
    return "never" if at is None else clock(at)


def _within(record: Record, name: str, since: int, until: int, claim: str) -> Verdict:
    first = _first(record, name)
    held = first is not None and since * MINUTE <= first < until * MINUTE
    return Verdict(claim, held, f"first run {_clock(first)}")


def _after_first_finding(record: Record, name: str) -> Verdict:
    finding, first = record.first("slow_page_analyzer", since=-record.until), _first(record, name)
    held = finding is not None and first is not None and first >= finding.finished - record.grace
    told = f"finding {_clock(finding.finished if finding else None)}, {name} {_clock(first)}"
    return Verdict(f"{name} runs after the analyzer's first finding.", held, told)


def _support(record: Record) -> Verdict:
    """Trouble begins, for the rules, when it is first seen."""
    seen = record.of("traffic_monitor", since=5 * MINUTE)
    first = _first(record, "slack_customer_support")
    held = bool(seen) and first is not None and first - seen[0].slot >= 15 * MINUTE - record.grace
    told = "never" if first is None or not seen else f"trouble seen {clock(seen[0].slot)}, told {clock(first)}"
    return Verdict("slack_customer_support runs only once 15 minutes of trouble have passed.", held, told)


def _once_per_cooldown(record: Record, name: str, *, cause_lasts: bool) -> Verdict:
    cooldown = COOLDOWNS.get(name)
    slots = [run.slot for run in record.of(name)]
    proposed = len(record.changes_of(name, "scheduleOneShotRun"))
    wanted = 0 if name == "emergency_oncall_page" and not _scaling_failed(record) else 1
    if cause_lasts and cooldown and slots:
        wanted = 1 + (record.until - slots[0]) // cooldown
    apart = all(later - earlier >= (cooldown or record.until) - record.grace for earlier, later in pairwise(slots))
    sources = {run.source for run in record.of(name)}
    held = len(slots) == proposed == wanted and apart and sources <= {"ai-oneshot"}
    told = f"proposed {proposed}, ran {len(slots)} of {wanted}: {clocks(slots)}"
    per = f"exactly once per cooldown of {spell(cooldown)}" if cooldown else "exactly once for its cause"
    return Verdict(f"{name} runs {per}.", held, told)


def _scaling_failed(record: Record) -> bool:
    return any(run.failed for run in record.of("scale_checkout_workers"))


def _emergency(record: Record, times: int) -> Verdict:
    slots = [run.slot for run in record.of("emergency_oncall_page")]
    tried = [_first(record, name) for name in ("cache_warm_up", "scale_checkout_workers")]
    after_both = all(at is not None and slots and at < slots[0] for at in tried)
    often = "never runs: recovery succeeds" if times == 0 else "runs exactly once, after both recoveries were tried"
    told = ", ".join(f"{what} {_clock(at)}" for what, at in zip(("cache", "workers"), tried, strict=True))
    return Verdict(
        f"emergency_oncall_page {often}.",
        len(slots) == times and (times == 0 or after_both),
        f"ran {len(slots)} times: {clocks(slots)}; {told}",
    )


def _afterwards(record: Record) -> Iterator[Verdict]:
    awake = [run for run in record.of(*record.names(), since=26 * MINUTE + record.grace) if run.endpoint not in HEALTH]
    told = ", ".join(f"{run.endpoint} {clock(run.slot)}" for run in awake)
    yield Verdict("After minute 26 whatever slept sleeps again.", not awake, told or "no run but of the health checks")
    hinted = [member.name for member in record.members.values() if member.hints]
    gaps = {name: _last_gap(record, name) for name in HEALTH}
    back = all(record.members[name].baseline_ms == gap for name, gap in gaps.items() if name != "traffic_monitor")
    eased = gaps["traffic_monitor"] in (3 * MINUTE, 5 * MINUTE)
    yield Verdict(
        "In the end every health check is back at baseline, and no hint lives.",
        not hinted and back and eased and all(record.members[name].source == "baseline-interval" for name in HEALTH),
        ", ".join(f"{name} every {spell(gap)}" for name, gap in gaps.items())
        + (f"; hints live on {', '.join(hinted)}" if hinted else "; no hint lives"),
    )
    yield _expired(record)
    yield _no_manual_step(record)


def _last_gap(record: Record, name: str) -> int:
    """Between the last two runs, in whole seconds."""
    slots = [run.slot for run in record.of(name)][-2:]
    return round((slots[-1] - slots[0]) / SECOND) * SECOND if slots else 0


def _expired(record: Record) -> Verdict:
    """The last hint of traffic_monitor is one that nobody takes away."""
    changes = record.changes_of("traffic_monitor", "applyIntervalHint", "clearAdaptiveHints")
    last = changes[-1] if changes else None
    ended = last is not None and last.action == "applyIntervalHint" and last.after["expiresAt"] <= record.until
    told = f"{last.author}, expired {clock(last.after['expiresAt'])}" if last and ended else "none expired"
    return Verdict("Hints expire by themselves.", ended, f"the last hint of traffic_monitor: {told}")


def _no_manual_step(record: Record) -> Verdict:
    by_hand = [each for each in record.changes if each.at > 0 and each.kind not in ("rule", "planner", "system")]
    rules = sorted({each.author for each in record.changes if each.kind == "rule"})
    told = ", ".join(f"{each.action} {clock(each.at)}" for each in by_hand)
    return Verdict("There is no manual step.", not by_hand, told or f"changed by {', '.join(rules)} alone")


def _still_tight(record: Record) -> Verdict:
    gap = _last_gap(record, "traffic_monitor")
    held = abs(gap - FASTEST_MS) <= record.grace
    return Verdict("While the trouble goes on the tempo stays.", held, f"traffic_monitor every {spell(gap)} at the end")


def sums(record: Record) -> list[dict[str, str]]:
    """What the design states, what its own timeline has room for, and what was counted."""
    health = ("health checks", "most of them", "", len(record.of_tier("health")))
    stated = [
        (each.what, f"{each.low}-{each.high}", "{}-{}".format(*each.room), len(record.of_tier(*each.tiers)))
        for each in SUMS
    ]
    rows = [("endpoints", "10", "", len(record.members)), health, *stated]
    return [
        {"what": what, "stated": low_high, "timeline": room, "counted": str(count)}
        for what, low_high, room, count in rows
    ]


def _sum(record: Record, wanted: Sum) -> Verdict:
    count = len(record.of_tier(*wanted.tiers))
    low, high = wanted.room
    claim = f"{wanted.low}-{wanted.high} {wanted.what}."
    if wanted.low <= high and low <= wanted.high:
        return Verdict(claim, wanted.low <= count <= wanted.high, f"{count}")
    return Verdict(claim, low <= count <= high, f"{count}: the timeline wins, which has room for {low}-{high}")


def _frame(record: Record) -> Iterator[Verdict]:
    tiers = {tier: len(record.of_tier(tier)) for tier in ("health", "investigation", "recovery", "alert")}
    most = tiers["health"] > sum(tiers.values()) - tiers["health"]
    odd = [f"{each['rule']}: {each['message']}" for each in record.job["ruleWarnings"] + record.job["ruleErrors"]]
    yield Verdict("No rule fails or is inert.", not odd, "; ".join(odd) or f"{len(record.job['rules'])} rules")
    yield Verdict("Ten endpoints.", len(record.members) == 10, f"{len(record.members)}")
    yield Verdict("Health checks dominate.", most, ", ".join(f"{tier} {count}" for tier, count in tiers.items()))
    gaps = [
        (later.slot - earlier.slot, earlier.endpoint)
        for name in record.names()
        for earlier, later in pairwise(run for run in record.runs if run.endpoint == name)
    ]
    fastest, name = min(gaps, default=(0, "nobody"))
    yield Verdict(
        "The fastest cadence is 30 s.",
        abs(fastest - FASTEST_MS) <= record.grace,
        f"{spell(fastest)}, {name}",
    )
