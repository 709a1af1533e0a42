"""What a deployment allows."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Planning:
    """The model and what it may use. `model` names it as in `bedrock/MODEL`; None is no model.

    `minutes` between two looks at what needs one, 0 never; `tokens_per_day` per tenant, 0 any number. Prices in dollars
    per million tokens, 0 unknown.
    """

    model: str | None = None
    minutes: int = 5
    tokens_per_day: int = 0
    input_price: float = 0
    output_price: float = 0

    @property
    def is_on(self) -> bool:
        """Whether any endpoint is ever looked at; else jobs with a planner have their rules only."""
        return self.model is not None and self.minutes > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the deployment allows. Durations in ms; the quotas are per tenant, 0 is none.

    `tick_workers` is how many invocations share a tick's shards. `cors_origins` are the origins whose pages may read
    answers, or `*`. `synthetic_targets`: whether there is anything at /synthetic.
    """

    look_ahead_ms: int = 120_000
    min_interval_ms: int = 1_000
    shards: int = 16
    tick_workers: int = 1
    allowed_target_cidrs: str = ""
    max_endpoints: int = 0
    max_runs_per_day: int = 0
    cors_origins: tuple[str, ...] = ()
    synthetic_targets: bool = True
    planning: Planning = Planning()
