"""What the deployment sets, read from the environment once, when the first request comes in."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from rubato.domain.limits import Limits, Planning

_DAY_S = 86_400
# By the name of the store, the variable with its table.
_TABLES = {
    "jobs": "JOBS_TABLE",
    "rules": "RULES_TABLE",
    "endpoints": "ENDPOINTS_TABLE",
    "runs": "RUNS_TABLE",
    "keys": "KEYS_TABLE",
    "audit": "AUDIT_TABLE",
    "usage": "USAGE_TABLE",
    "idempotency": "IDEMPOTENCY_TABLE",
    "analyses": "ANALYSES_TABLE",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSettings:
    """Where the planner's model is. `provider` is none, bedrock or openai; `key_arn` names a secret or a parameter."""

    provider: str = "none"
    model_id: str = ""
    url: str = ""
    key_arn: str = ""

    @property
    def name(self) -> str | None:
        """As people are told of it; None without one."""
        return None if self.provider == "none" else f"{self.provider}/{self.model_id}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One field for each environment variable of template.yaml. A function has the variables of what it may touch.

    `vault` tells this deployment's values from those of others; `function_name` is set by Lambda itself. `topic_arns`
    and `bus_name` are where notices go. `credentials` stays empty in Lambda: there the role of the function counts.
    """

    tables: Mapping[str, str]
    region: str | None
    retention_s: int
    limits: Limits
    queue_url: str | None = None
    slow_queue_url: str | None = None
    analysis_queue_url: str | None = None
    rule_queue_url: str | None = None
    vault: str | None = None
    function_name: str | None = None
    topic_arns: tuple[str, ...] = ()
    bus_name: str | None = None
    model: ModelSettings = ModelSettings()
    credentials: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> "Settings":
        """Raises ValueError that names the variable which is missing its number."""
        model = _model(env)
        return cls(
            tables={name: env[variable] for name, variable in _TABLES.items() if env.get(variable)},
            queue_url=env.get("RUN_QUEUE_URL"),
            slow_queue_url=env.get("SLOW_RUN_QUEUE_URL"),
            analysis_queue_url=env.get("ANALYSIS_QUEUE_URL"),
            model=model,
            rule_queue_url=env.get("RULE_QUEUE_URL"),
            vault=env.get("VAULT"),
            function_name=env.get("AWS_LAMBDA_FUNCTION_NAME"),
            topic_arns=tuple(filter(None, map(env.get, ("NOTIFICATION_TOPIC_ARN", "NOTIFICATION_MAIL_TOPIC_ARN")))),
            bus_name=env.get("EVENT_BUS_NAME") or None,
            region=env.get("AWS_REGION") or env.get("AWS_DEFAULT_REGION"),
            retention_s=_number(env, "RUN_RETENTION_DAYS", 30) * _DAY_S,
            limits=_limits(env, model),
        )


def _limits(env: Mapping[str, str], model: ModelSettings) -> Limits:
    return Limits(
        look_ahead_ms=_number(env, "LOOK_AHEAD_SECONDS", 120) * 1000,
        min_interval_ms=_number(env, "MIN_INTERVAL_MS", 1000),
        shards=_number(env, "SCHEDULE_SHARDS", 16),
        tick_workers=_number(env, "TICK_WORKERS", 1),
        max_endpoints=_number(env, "MAX_ENDPOINTS_PER_TENANT", 0),
        max_runs_per_day=_number(env, "MAX_RUNS_PER_TENANT_PER_DAY", 0),
        allowed_target_cidrs=env.get("ALLOWED_TARGET_CIDRS", ""),
        cors_origins=tuple(filter(None, env.get("CORS_ALLOWED_ORIGINS", "").split(","))),
        synthetic_targets=env.get("SYNTHETIC_TARGETS") != "off",
        planning=Planning(
            model=model.name,
            minutes=_number(env, "PLANNER_MINUTES", 5),
            tokens_per_day=_number(env, "PLANNER_QUOTA", 1_000_000),
            input_price=_price(env, "MODEL_INPUT_PRICE"),
            output_price=_price(env, "MODEL_OUTPUT_PRICE"),
        ),
    )


def _number(env: Mapping[str, str], variable: str, default: int) -> int:
    text = env.get(variable) or str(default)
    if not text.isdecimal():
        raise ValueError(f"{variable} must be a whole number, not {text!r}")
    return int(text)


def _price(env: Mapping[str, str], variable: str) -> float:
    text = env.get(variable) or "0"
    try:
        price = float(text)
    except ValueError:
        price = -1.0
    if not 0 <= price < float("inf"):
        raise ValueError(f"{variable} must be a number of dollars, not {text!r}")
    return price


def _model(env: Mapping[str, str]) -> ModelSettings:
    return ModelSettings(
        provider=env.get("MODEL_PROVIDER") or "none",
        model_id=env.get("MODEL_ID", ""),
        url=env.get("MODEL_URL", ""),
        key_arn=env.get("MODEL_KEY_ARN", ""),
    )
