"""What a configuration must satisfy across its fields, before it is stored. Field shapes are checked at the door."""

from collections.abc import Callable, Iterator
from functools import partial

from rubato.domain.endpoint import EndpointConfig, TargetRequest
from rubato.domain.errors import FieldError, Invalid
from rubato.domain.placeholders import check_placeholders
from rubato.domain.runs import code_range
from rubato.domain.schedule import IntervalBaseline, shortest_gap_ms
from rubato.domain.targets import check_headers, check_url, parse_cidrs

_BODILESS = ("GET", "HEAD")


def check_config(config: EndpointConfig, min_interval_ms: int, allowed_target_cidrs: str) -> None:
    """Raise Invalid, naming every field that breaks a rule and the remedy."""
    broken: list[FieldError] = []
    broken += _clamp(config) + _baseline(config, min_interval_ms) + _jitter(config) + _body(config.request)
    for check in _checks(config, allowed_target_cidrs):
        try:
            check()
        except Invalid as refused:
            broken += refused.errors
    if broken:
        raise Invalid(*broken)


def _checks(config: EndpointConfig, allowed_target_cidrs: str) -> Iterator[Callable[[], object]]:
    yield lambda: check_url(config.request.url, parse_cidrs(allowed_target_cidrs))
    yield lambda: check_headers(config.request.headers)
    yield lambda: check_placeholders(config.request)
    yield from (partial(code_range, code) for code in config.success_codes)


def _clamp(config: EndpointConfig) -> list[FieldError]:
    low, high = config.clamp.min_interval_ms, config.clamp.max_interval_ms
    if low is not None and high is not None and low > high:
        return [FieldError("clamp.minIntervalMs", f"{low} is above clamp.maxIntervalMs {high}; lower it or raise that")]
    return []


def _baseline(config: EndpointConfig, min_interval_ms: int) -> list[FieldError]:
    if isinstance(config.baseline, IntervalBaseline) and config.baseline.interval_ms < min_interval_ms:
        floor = f"{config.baseline.interval_ms} is below this deployment's floor; use {min_interval_ms} or more"
        return [FieldError("baseline.intervalMs", floor)]
    return []


def _jitter(config: EndpointConfig) -> list[FieldError]:
    gap = shortest_gap_ms(config.baseline)
    if gap is not None and config.jitter_ms >= gap:
        return [FieldError("jitterMs", f"{config.jitter_ms} must stay below baseline.intervalMs {gap}")]
    return []


def _body(request: TargetRequest) -> list[FieldError]:
    if request.body is not None and request.method in _BODILESS:
        return [FieldError("request.body", f"{request.method} takes no body; remove it or choose another method")]
    return []
