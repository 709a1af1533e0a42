"""What must come out of the flash sale, one by one."""

from collections.abc import Iterator
from itertools import pairwise

from cli.drawing.durations import spell
from cli.simulate.play.record import Record, clock, clocks
from cli.simulate.play.scenario import MINUTE, Verdict
from cli.simulate.play.tempo import pauses_of
from cli.simulate.scenarios.evidence import Witness
from cli.simulate.scenarios.flash_sale.expected import (
    COOLDOWNS,
    EASED,
    FASTEST_MS,
    HEALTH,
    ONE_SHOTS,
    SECOND,
    SUMS,
    TIGHTENED,
)
from cli.simulate.scenarios.flash_sale.reactions import eased, tightened
from cli.simulate.scenarios.flash_sale.shop import ANALYSIS
from cli.simulate.scenarios.flash_sale.sums import sum_of


def claims(record: Record) -> Iterator[Verdict]:
    """When scaling succeeds."""
    yield from _until_critical(record)
    yield from (eased(record, each) for each in EASED)
    yield from _chain(record, last="slack_customer_support")
    yield from (_once_per_cooldown(record, name, cause_lasts=False) for name in ONE_SHOTS)
    yield _emergency(record, times=0)
    yield from _afterwards(record)
    yield from (sum_of(record, each) for each in SUMS)
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
    yield from (tightened(record, each) for each in TIGHTENED)
    saw = Witness(record)
    yield saw.shrugged_off("order_processor_health", 45 * SECOND)
    yield saw.shrugged_off("traffic_monitor", FASTEST_MS)


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
    yield _rests(record)


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
    found, first = _first_finding(record), _first(record, name)
    held = found is not None and first is not None and first >= found - record.grace
    told = f"finding {_clock(found)}, {name} {_clock(first)}"
    return Verdict(f"{name} runs after the analyzer's first finding.", held, told, True)


def _first_finding(record: Record) -> int | None:
    """When the first run of the analyzer ended in which the shop named a slow page."""
    named = {call.run_id for call in record.calls if call.path == ANALYSIS and call.said.get("slowProductPages")}
    return min((run.finished for run in record.runs if run.run_id in named), default=None)


def _support(record: Record) -> Verdict:
    """Trouble begins, for the rules, when it is first seen."""
    seen = record.of("traffic_monitor", since=5 * MINUTE)
    first = _first(record, "slack_customer_support")
    held = bool(seen) and first is not None and first - seen[0].slot >= 15 * MINUTE - record.grace
    told = "never" if first is None or not seen else f"trouble seen {clock(seen[0].slot)}, told {clock(first)}"
    return Verdict("slack_customer_support runs only once 15 minutes of trouble have passed.", held, told, True)


def _once_per_cooldown(record: Record, name: str, *, cause_lasts: bool) -> Verdict:
    cooldown = COOLDOWNS.get(name)
    slots = [run.slot for run in record.of(name)]
    asked, waiting = record.changes_of(name, "scheduleOneShotRun"), _asked_at_rest(record, name)
    proposed = len(asked) - len(waiting)
    wanted = 0 if name == "emergency_oncall_page" and not _scaling_failed(record) else 1
    if cause_lasts and cooldown and slots:
        wanted = 1 + (record.until - slots[0]) // cooldown
    apart = all(later - earlier >= (cooldown or record.until) - record.grace for earlier, later in pairwise(slots))
    sources = {run.source for run in record.of(name)}
    held = len(slots) == proposed == wanted and apart and sources <= {"ai-oneshot"}
    told = f"proposed {proposed}, ran {len(slots)} of {wanted}: {clocks(slots)}"
    per = f"exactly once per cooldown of {spell(cooldown)}" if cooldown else "exactly once for its cause"
    return Verdict(f"{name} runs {per}.", held, told, True)


def _asked_at_rest(record: Record, name: str) -> list[int]:
    """For when one-shots were proposed that a pause held back."""
    times = [each.after["runAt"] for each in record.changes_of(name, "scheduleOneShotRun")]
    return [at for at in times if any(since <= at < until for since, until in pauses_of(record, name))]


def _rests(record: Record) -> Verdict:
    name = "slack_operations"
    asked, pauses = _asked_at_rest(record, name), pauses_of(record, name)
    runs = [run.slot for run in record.of(name) if any(since < run.slot <= until for since, until in pauses)]
    told = f"asked for {clocks(asked)}, ran {clocks(runs)}"
    return Verdict(f"{name} rests in its cooldown, though it is asked for again.", bool(asked) and not runs, told)


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
    yield Verdict(
        "After minute 26 whatever slept sleeps again.", not awake, told or "no run but of the health checks", True
    )
    hinted = [member.name for member in record.members.values() if member.hints]
    gaps = {name: _last_gap(record, name) for name in HEALTH}
    present = [record.members[name] for name in HEALTH if name in record.members]
    by_itself = len(present) == len(HEALTH) and all(member.source == "baseline-interval" for member in present)
    back = all(member.baseline_ms == gaps[member.name] for member in present if member.name != "traffic_monitor")
    eased = gaps["traffic_monitor"] in (3 * MINUTE, 5 * MINUTE)
    yield Verdict(
        "In the end every health check is back at baseline, and no hint lives.",
        not hinted and back and eased and by_itself,
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
    last = max((run.slot for run in record.of("traffic_monitor")), default=0)
    held = gap == FASTEST_MS and record.until - last <= FASTEST_MS + record.grace
    told = f"traffic_monitor every {spell(gap)}, last {clock(last)}"
    return Verdict("While the trouble goes on the tempo stays.", held, told, True)


def _frame(record: Record) -> Iterator[Verdict]:
    tiers = {tier: len(record.of_tier(tier)) for tier in ("health", "investigation", "recovery", "alert")}
    most = tiers["health"] > sum(tiers.values()) - tiers["health"]
    odd = [f"{each['rule']}: {each['message']}" for each in record.job["ruleWarnings"] + record.job["ruleErrors"]]
    yield Verdict("No rule fails or is inert.", not odd, "; ".join(odd) or f"{len(record.job['rules'])} rules")
    yield Verdict("Ten endpoints.", len(record.members) == 10, f"{len(record.members)}")
    yield Verdict("Health checks dominate.", most, ", ".join(f"{tier} {count}" for tier, count in tiers.items()))
    yield _fastest(record)


def _fastest(record: Record) -> Verdict:
    """Nothing is closer, and something is as close."""
    pairs = [pair for name in record.names() for pair in pairwise(run for run in record.runs if run.endpoint == name)]
    gaps = [(later.slot - earlier.slot, record.slack(earlier, later), later.endpoint) for earlier, later in pairs]
    held = any(gap == FASTEST_MS for gap, _, _ in gaps) and all(gap >= FASTEST_MS - slack for gap, slack, _ in gaps)
    fastest, _, name = min(gaps, default=(0, 0, "nobody"))
    return Verdict("The fastest cadence is 30 s.", held, f"{spell(fastest)}, {name}")
