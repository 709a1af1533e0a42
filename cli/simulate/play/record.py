"""What happened in a play, as values. All times in ms since minute 0 of the scenario."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """An endpoint of the job. `baseline_ms` is None for one whose baseline is no interval.

    `hints`, `state` and `source` are as they stood when the play ended.
    """

    name: str
    tier: str
    created_at: int
    baseline: dict[str, Any]
    baseline_ms: int | None
    clamp: dict[str, int | None]
    state: str
    source: str | None
    jitter_ms: int = 0
    hints: tuple[dict[str, Any], ...] = ()

    @property
    def sleeps(self) -> bool:
        """Whether it never runs by itself."""
        return "manual" in self.baseline


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """A finished run."""

    endpoint: str
    run_id: str
    slot: int
    due: int
    started: int
    finished: int
    status: str
    status_code: int | None
    source: str
    hint_id: str | None

    @property
    def failed(self) -> bool:
        """Whether it counts as a failure."""
        return self.status == "failure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """An event of the audit trail of an endpoint: `kind` and `author` as in actorKind and actor."""

    at: int
    endpoint: str
    kind: str
    author: str
    action: str
    before: dict[str, Any]
    after: dict[str, Any]
    reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """A call as the target saw it, and what it said (any JSON value)."""

    at: int
    path: str
    run_id: str
    attempt: int
    said: Any = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A whole play, lead-in included: `members` by name, the rest in the order of time.

    `until` is its end. `grace` is how far instants may be off: 0 under the virtual clock, some seconds times the speed
    in real time. `tick` is the distance of two ticks.
    """

    members: dict[str, Member]
    runs: tuple[Ran, ...]
    changes: tuple[Change, ...]
    calls: tuple[Called, ...]
    job: dict[str, Any]
    until: int
    grace: int = 0
    tick: int = 60_000

    def of(self, *names: str, since: int = 0, until: int | None = None) -> list[Ran]:
        """Runs of these endpoints whose slots lie in [since, until), by default from minute 0 to the end."""
        return [run for run in self.runs if run.endpoint in names and since <= run.slot < _or(until, self.until + 1)]

    def of_tier(self, *tiers: str, since: int = 0, until: int | None = None) -> list[Ran]:
        """The same for all endpoints of these tiers."""
        return self.of(*self.names(*tiers), since=since, until=until)

    def names(self, *tiers: str) -> list[str]:
        """The endpoints of these tiers; of all without one."""
        return [member.name for member in self.members.values() if not tiers or member.tier in tiers]

    def changes_of(self, name: str, *actions: str) -> list[Change]:
        """What was changed about an endpoint, by these actions or by any."""
        return [each for each in self.changes if each.endpoint == name and (not actions or each.action in actions)]

    def called_at(self, run: Ran) -> int | None:
        """When its target first saw it; None when it never did."""
        return min((call.at for call in self.calls if call.run_id == run.run_id), default=None)

    def slack(self, one: Ran, other: Ran) -> int:
        """How far the distance of two slots may be off: slots of one hint are planned, not measured."""
        return 0 if one.hint_id == other.hint_id else self.grace

    def first(self, name: str, since: int = 0) -> Ran | None:
        """The first run of an endpoint from then on."""
        return next((run for run in self.runs if run.endpoint == name and run.slot >= since), None)


def clock(at: int) -> str:
    """A time of the scenario as people read it: minutes and seconds, 13:45, with tenths only where there are any."""
    sign, at = ("-", -at) if at < 0 else ("", at)
    minutes, rest = divmod(at, 60_000)
    return f"{sign}{minutes}:{rest // 1000:02}" + (f".{rest % 1000:03}" if rest % 1000 else "")


def clocks(times: Iterable[int]) -> str:
    """Several, with commas."""
    return ", ".join(map(clock, times)) or "none"


def _or(value: int | None, default: int) -> int:
    return default if value is None else value
