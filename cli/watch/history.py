"""How often an endpoint was to run, since when and by whose doing: from answers, audit trail and runs. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import takewhile
from typing import Any

from cli.drawing.attribution import author, plain
from cli.drawing.series import Series, Step
from rubato.domain.governor import backed_off_interval
from rubato.domain.instant import from_iso
from rubato.domain.schedule import CronBaseline, IntervalBaseline, read_baseline

Fields = dict[str, Any]


def series_of(endpoint: Fields, job: Fields, events: Iterable[Fields], runs: Iterable[Fields], now: int) -> Series:
    """From the answers of getEndpoint, getJob, listEndpointEvents and listRuns (both newest first); `now` in ms."""
    story = _Story(endpoint, job, [*events][::-1], [*runs][::-1], now)
    return Series(name=endpoint["name"], steps=tuple(story.steps()), runs=tuple(at(run["slot"]) for run in story.runs))


def at(iso: str) -> int:
    """An answer's time in ms."""
    return from_iso(iso, "time")


@dataclass(frozen=True)
class _Story:
    """Events and runs oldest first."""

    endpoint: Fields
    job: Fields
    events: Sequence[Fields]
    runs: Sequence[Fields]
    now: int

    def steps(self) -> list[Step]:
        """One for each moment at which something may have changed."""
        return [self._step(moment) for moment in sorted(self._moments()) if moment <= self.now]

    def _moments(self) -> set[int]:
        ends = [event["to"][name] for event in self.events for name in _ENDS if event["to"].get(name)]
        return {
            at(self.endpoint["createdAt"]),
            *(at(event["at"]) for event in self.events),
            *(at(end) for end in ends if end != "indefinite"),
            *(at(run["finishedAt"]) for run in self._scheduled),
            *([self._held_since] if self._held_since is not None else []),
        }

    def _step(self, moment: int) -> Step:
        usual = self._baseline_ms(moment)
        rest = self._rest(moment)
        if rest is not None:
            return Step(at=moment, interval_ms=None, baseline_ms=usual, source="paused", author=rest[0], reason=rest[1])
        live = self._live(moment)
        if live:
            hint = min(live, key=lambda event: int(event["to"]["intervalMs"]))
            return Step(
                at=moment,
                interval_ms=hint["to"]["intervalMs"],
                baseline_ms=usual,
                source="ai-interval",
                author=_author(hint),
                reason=hint["reason"] or "",
            )
        return self._on_baseline(moment, usual)

    def _on_baseline(self, moment: int, usual: int | None) -> Step:
        failures = self._failures(moment) if "intervalMs" in self._baseline(moment) else 0
        if usual is None or not failures:
            return Step(at=moment, interval_ms=usual, baseline_ms=usual, source=_source(self._baseline(moment)))
        return Step(
            at=moment,
            interval_ms=self._at_most(backed_off_interval(usual, failures)),
            baseline_ms=usual,
            source="baseline-interval",
            author="backoff",
            reason=f"{failures} failed run{'s' if failures > 1 else ''}",
        )

    def _at_most(self, interval_ms: int) -> int:
        """As the endpoint's clamp is now; how it was is not told."""
        return min(interval_ms, self.endpoint["clamp"]["maxIntervalMs"] or interval_ms)

    def _rest(self, moment: int) -> tuple[str, str] | None:
        """Who holds it at that moment, and why."""
        if self._held_since is not None and moment >= self._held_since:
            return "job", str(self.job["status"])
        pause = next((event for event in reversed(self._until(moment)) if "pausedUntil" in event["to"]), None)
        until = pause["to"]["pausedUntil"] if pause else None
        if pause is None or until is None or (until != "indefinite" and at(until) <= moment):
            return None
        return _author(pause), pause["reason"] or ""

    @cached_property
    def _held_since(self) -> int | None:
        """The job's answer does not say since when: its latest change is the nearest."""
        return at(self.job["updatedAt"]) if self.job["status"] != "active" else None

    def _live(self, moment: int) -> list[Fields]:
        """The events of the interval hints that live then: of each author the latest, none from before a clearing."""
        live: dict[str, Fields] = {}
        for event in self._until(moment):
            if event["action"] == "clearAdaptiveHints":
                kept = {hint["hintId"] for hint in event["to"].get("hints", ())}
                live = {who: each for who, each in live.items() if each["to"]["hintId"] in kept}
            elif event["action"] == "applyIntervalHint":
                live[_author(event)] = event
        return [event for event in live.values() if at(event["to"]["expiresAt"]) > moment]

    def _baseline(self, moment: int) -> Fields:
        edits = [event for event in self.events if "baseline" in event["to"] and "baseline" in event["from"]]
        made = [event for event in edits if at(event["at"]) <= moment]
        if made:
            return dict(made[-1]["to"]["baseline"])
        return dict(edits[0]["from"]["baseline"] if edits else self.endpoint["baseline"])

    def _baseline_ms(self, moment: int) -> int | None:
        baseline = read_baseline(self._baseline(moment))
        if isinstance(baseline, IntervalBaseline):
            return baseline.interval_ms
        if not isinstance(baseline, CronBaseline):
            return None
        first = baseline.cron.next_after(moment)
        second = baseline.cron.next_after(first) if first is not None else None
        return second - first if first is not None and second is not None else None

    def _failures(self, moment: int) -> int:
        """Failed runs in a row by then; since the latest run, as the endpoint itself counts."""
        resets = [at(event["at"]) for event in self._until(moment) if event["action"] == "resetFailureCount"]
        since = max(resets, default=0)
        ended = [run for run in self._scheduled if since < at(run["finishedAt"]) <= moment]
        if ended and ended[-1] is self._scheduled[-1]:
            return int(self.endpoint["failureCount"])
        return sum(1 for _ in takewhile(lambda run: run["status"] == "failure", reversed(ended)))

    @cached_property
    def _scheduled(self) -> list[Fields]:
        return [run for run in self.runs if run["finishedAt"] and run["source"] != "manual"]

    def _until(self, moment: int) -> list[Fields]:
        return [event for event in self.events if at(event["at"]) <= moment]


_ENDS = ("expiresAt", "pausedUntil")


def _author(event: Fields) -> str:
    if event.get("agentName"):
        return plain(f"agent {event['agentName']} for {event['onBehalfOf']}")
    return author(event["actorKind"], event["actor"])


def _source(baseline: Fields) -> str:
    if "cron" in baseline:
        return "baseline-cron"
    return "baseline-interval" if "intervalMs" in baseline else "after" if "after" in baseline else "manual"
