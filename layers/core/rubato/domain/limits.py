"""What a deployment allows."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the deployment allows. Durations in ms; the quotas are per tenant, 0 is none.

    `tick_workers` is how many invocations share a tick's shards. `cors_origins` are the origins whose pages may read
    answers, or `*`.
    """

    look_ahead_ms: int = 120_000
    min_interval_ms: int = 1_000
    shards: int = 16
    tick_workers: int = 1
    allowed_target_cidrs: str = ""
    max_endpoints: int = 0
    max_runs_per_day: int = 0
    cors_origins: tuple[str, ...] = ()
