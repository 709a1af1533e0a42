"""An endpoint's answers, as the sentences need them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import inf
from typing import Any

from cli.drawing.attribution import author
from cli.drawing.durations import spell_exactly
from rubato.domain.governor import MAX_BACKOFF_DOUBLINGS, backed_off_interval
from rubato.domain.instant import from_iso

Fields = dict[str, Any]


@dataclass(frozen=True)
class Facts:
    """The answers of getEndpoint, getJob and listEndpointEvents (newest first), and the moment (ms) of asking.

    `label` writes a moment.
    """

    endpoint: Fields
    job: Fields
    events: Sequence[Fields]
    now: int
    label: Callable[[int], str]

    @cached_property
    def intervals(self) -> list[Fields]:
        """Live interval hints, the tightest first: it wins."""
        live = [hint for hint in self.endpoint["hints"] if hint["kind"] == "interval"]
        return sorted(live, key=lambda hint: (hint["intervalMs"], hint["createdAt"]))

    @cached_property
    def one_shots(self) -> list[Fields]:
        """Live one-shots, the earliest first."""
        live = [hint for hint in self.endpoint["hints"] if hint["kind"] == "oneshot"]
        return sorted(live, key=lambda hint: str(hint["runAt"]))

    @property
    def is_held(self) -> bool:
        """Whether the job keeps it from running."""
        return bool(self.job["status"] != "active")

    @cached_property
    def pause(self) -> Fields | None:
        """The event of the endpoint's own pause, when that still holds."""
        latest = next((each for each in self.events if each["action"] == "pauseOrResumeEndpoint"), None)
        until = latest["to"].get("pausedUntil") if latest else None
        holds = until == "indefinite" or (until is not None and at(until) > self.now)
        return latest if holds else None

    @cached_property
    def rests_until(self) -> float:
        """Until when (ms) nothing of its schedule runs: now if it does not rest, infinity if only people can tell."""
        if self.is_held:
            return inf
        if self.endpoint["source"] != "paused":
            return self.now
        end = self.endpoint["nextRunAt"]
        return inf if end is None else at(end)

    @property
    def doublings(self) -> int:
        """How often failures have doubled the baseline's interval."""
        is_interval = "intervalMs" in self.endpoint["baseline"]
        return min(self.endpoint["failureCount"], MAX_BACKOFF_DOUBLINGS) if is_interval else 0

    def moment(self, iso: str) -> str:
        """A time of an answer, as people read it."""
        return self.label(at(iso))

    def away(self, iso: str) -> str:
        """How far it is from now: `in 25 s`, `now`."""
        rest = (at(iso) - self.now) // 1000 * 1000
        return f"in {spell_exactly(rest)}" if rest > 0 else "now"

    def rhythm(self, moment: int) -> str:
        """What sets the pace at `moment`, as far as is known now: the hints that live then, else the baseline."""
        live = [hint for hint in self.intervals if at(hint["expiresAt"]) > moment]
        if not live:
            return self.baseline()
        asked = live[0]["intervalMs"]
        paced = self._clamped(asked)
        note = f" ({spell_exactly(asked)}, held by its clamp)" if paced != asked else ""
        return f"every {spell_exactly(paced)}, by {by(live[0])}{note}"

    def rhythm_some_day(self) -> str:
        """The same for a moment that nobody knows."""
        if not self.intervals:
            return self.baseline()
        return f"{self.rhythm(self.now)}, while that hint lives; without any hint {self.baseline()}"

    def baseline(self, again: bool = False) -> str:
        """The baseline's rhythm, failures and clamp included."""
        word = " again" if again else ""
        baseline = self.endpoint["baseline"]
        if "intervalMs" in baseline:
            return self._interval_baseline(baseline["intervalMs"], word)
        if "cron" in baseline:
            return f"by cron `{baseline['cron']}` in {baseline['timezone']}{word}"
        if "after" in baseline:
            return f"after {named(baseline['after'])} succeeded{word}"
        return "asleep again" if again else "asleep until somebody asks for a run"

    def _interval_baseline(self, usual: int, word: str) -> str:
        slowed = backed_off_interval(usual, self.endpoint["failureCount"])
        paced = self._clamped(slowed)
        notes = [f"baseline {spell_exactly(usual)}"]
        notes += ["slowed by failures"] if self.doublings else []
        notes += ["held by its clamp"] if paced != slowed else []
        note = f" ({', '.join(notes)})" if len(notes) > 1 else ""
        return f"every {spell_exactly(paced)}{word}{note}"

    def _clamped(self, interval_ms: int) -> int:
        """As the governor does it: the minimum first, then the maximum."""
        least, most = (self.endpoint["clamp"][name] for name in ("minIntervalMs", "maxIntervalMs"))
        paced = max(interval_ms, least or interval_ms)
        return min(paced, most or paced)


def at(iso: str) -> int:
    """An answer's time in ms."""
    return from_iso(iso, "time")


def by(hint: Fields) -> str:
    """Who gave that hint."""
    return author(hint["authorKind"], hint["author"])


def because(reason: str | None) -> str:
    """The reason after a colon, if there is one."""
    return f": {reason}" if reason else ""


def named(names: Sequence[str]) -> str:
    """`a`, `b` and `c`."""
    quoted = [f"`{name}`" for name in names]
    return " and ".join([", ".join(quoted[:-1]), quoted[-1]]) if len(quoted) > 1 else quoted[0]
