"""Endpoints to items and back."""

from typing import Any

from rubato.adapters import codec
from rubato.adapters.dynamodb.tables import ConfigItem, FollowerItem, HintItem, NameItem, StateItem, whole
from rubato.domain.endpoint import Clamp, EndpointConfig, EndpointState, MissedRuns, PlannerPower, Retry, Tier
from rubato.domain.grip import grip
from rubato.domain.hints import Hint, HintKind
from rubato.domain.ids import shard_of
from rubato.domain.references import followed
from rubato.domain.schedule import read_baseline, spell_baseline

CONFIG = "config"
STATE = "state"
_HINT = "hint#"
_NAME = "n#"  # short: a name of 255 characters may take 1020 bytes, a key 1024
# Expired hints are ignored at once; TTL only sweeps them up, later. The margin lets the next look at the endpoint find
# and record a one-shot that never fired.
_HINT_TTL_MARGIN_S = 30 * 86_400


def config_item(config: EndpointConfig, retention_s: int) -> ConfigItem:
    """The configuration; a tombstone goes when the last of its runs has gone."""
    return ConfigItem(
        pk=config.endpoint_id,
        sk=CONFIG,
        tenant_id=config.tenant_id,
        job_id=config.job_id,
        name=config.name,
        version=config.version,
        baseline=spell_baseline(config.baseline),
        request=codec.dump_request(config.request),
        settings=_dump_settings(config),
        created_at=config.created_at,
        updated_at=config.updated_at,
        deleted_at=config.deleted_at,
        ttl=config.deleted_at // 1000 + retention_s if config.deleted_at is not None else None,
    )


def load_config(item: ConfigItem) -> EndpointConfig:
    """The configuration."""
    return EndpointConfig(
        endpoint_id=item.pk,
        tenant_id=item.tenant_id,
        job_id=item.job_id,
        name=item.name,
        request=codec.load_request(item.request),
        baseline=read_baseline(item.baseline),
        created_at=int(item.created_at),
        updated_at=int(item.updated_at),
        version=int(item.version),
        deleted_at=whole(item.deleted_at),
        **_load_settings(item.settings),
    )


def _dump_settings(config: EndpointConfig) -> dict[str, Any]:
    return {
        "description": config.description,
        "clamp": [config.clamp.min_interval_ms, config.clamp.max_interval_ms],
        "timeoutMs": config.timeout_ms,
        "maxResponseBytes": config.max_response_bytes,
        "retry": [config.retry.max_attempts, config.retry.backoff_ms, config.retry.max_backoff_ms],
        "successCodes": list(config.success_codes),
        "missedRuns": config.missed_runs.value,
        "maxLatenessMs": config.max_lateness_ms,
        "jitterMs": config.jitter_ms,
        "autoPauseAfter": config.auto_pause_after,
        "tier": config.tier.value,
        "dependsOn": list(config.depends_on),
        "metadata": config.metadata,
        **({"planner": config.planner.value} if config.planner is not None else {}),
    }


def _load_settings(plain: dict[str, Any]) -> dict[str, Any]:
    low, high = plain["clamp"]
    return {
        "description": plain["description"],
        "clamp": Clamp(min_interval_ms=low, max_interval_ms=high),
        "timeout_ms": plain["timeoutMs"],
        "max_response_bytes": plain["maxResponseBytes"],
        "retry": _load_retry(plain.get("retry")),
        "success_codes": tuple(plain["successCodes"]),
        "missed_runs": MissedRuns(plain["missedRuns"]),
        "max_lateness_ms": plain["maxLatenessMs"],
        "jitter_ms": plain["jitterMs"],
        "auto_pause_after": plain["autoPauseAfter"],
        "tier": Tier(plain["tier"]),
        "depends_on": tuple(plain.get("dependsOn", ())),
        "metadata": plain["metadata"],
        "planner": PlannerPower(plain["planner"]) if plain.get("planner") else None,
    }


def _load_retry(plain: list[int] | None) -> Retry:
    if plain is None:
        return Retry()
    attempts, backoff, longest = plain
    return Retry(max_attempts=attempts, backoff_ms=backoff, max_backoff_ms=longest)


def state_item(endpoint_id: str, state: EndpointState, shards: int) -> StateItem:
    """The state; in the due index exactly while `wake_at` is set, in that of the planner while `look_at` is."""
    held_by = grip(state.claim) if state.claim is not None else None
    return StateItem(
        pk=endpoint_id,
        sk=STATE,
        version=state.version,
        shard=shard_of(endpoint_id, shards) if state.wake_at is not None or state.look_at is not None else None,
        due_at=state.wake_at,
        look_at=state.look_at,
        anchor=state.anchor,
        last_slot=state.last_slot,
        failures=state.failures,
        pause=codec.dump_pause(state.pause),
        held=state.held,
        ruled=state.ruled or None,
        synthetic=state.synthetic or None,
        shadow=state.shadow,
        parked=state.parked,
        next=codec.dump_plan(state.next),
        claim=codec.dump_claim(state.claim),
        fence=state.fence,
        skipped=state.skipped,
        missed=state.missed,
        last_run=codec.dump_last_run(state.last_run),
        progress=codec.dump_progress(state),
        lease_until=held_by.until if held_by is not None else None,
        call_at=held_by.call_at if held_by is not None else None,
        signers=" ".join(state.signers) or None,
    )


def load_state(item: StateItem) -> EndpointState:
    """The state."""
    return EndpointState(
        anchor=int(item.anchor),
        version=int(item.version),
        last_slot=whole(item.last_slot),
        failures=int(item.failures),
        pause=codec.load_pause(item.pause),
        held=bool(item.held),
        ruled=bool(item.ruled),
        synthetic=bool(item.synthetic),
        shadow=whole(item.shadow),
        next=codec.load_plan(item.next),
        parked=bool(item.parked),
        claim=codec.load_claim(item.claim),
        fence=int(item.fence),
        wake_at=whole(item.due_at),
        look_at=whole(item.look_at),
        skipped=int(item.skipped),
        missed=int(item.missed),
        last_run=codec.load_last_run(item.last_run),
        signers=tuple((item.signers or "").split()),
        **codec.load_progress(item.progress),
    )


def hint_item(endpoint_id: str, hint: Hint) -> HintItem:
    """A hint."""
    return HintItem(
        pk=endpoint_id,
        sk=_HINT + hint.hint_id,
        hint_kind=hint.kind.value,
        author=codec.dump_actor(hint.author),
        created_at=hint.created_at,
        expires_at=hint.expires_at,
        first_slot=hint.first_slot,
        interval_ms=hint.interval_ms,
        reason=hint.reason,
        ttl=hint.expires_at // 1000 + _HINT_TTL_MARGIN_S,
    )


def load_hint(item: HintItem) -> Hint:
    """A hint."""
    return Hint(
        hint_id=item.sk.removeprefix(_HINT),
        kind=HintKind(item.hint_kind),
        author=codec.load_actor(item.author),
        created_at=int(item.created_at),
        expires_at=int(item.expires_at),
        first_slot=int(item.first_slot),
        interval_ms=whole(item.interval_ms),
        reason=item.reason,
    )


def follower_items(config: EndpointConfig) -> list[FollowerItem]:
    """One for each endpoint that this one follows."""
    gone = config.deleted_at is not None
    names = () if gone else sorted(set(followed(config)))
    return [FollowerItem(pk=followers_key(config.job_id, name), sk=config.endpoint_id) for name in names]


def followers_key(job_id: str, name: str) -> str:
    """The partition of those that follow the endpoint of that name."""
    return f"after#{job_id}#{name}"


def name_key(job_id: str, name: str) -> tuple[str, str]:
    """The item that holds the name within the job."""
    return job_id, _NAME + name


def name_item(config: EndpointConfig) -> NameItem:
    """The name within the job."""
    pk, sk = name_key(config.job_id, config.name)
    return NameItem(pk=pk, sk=sk, endpoint_id=config.endpoint_id)
