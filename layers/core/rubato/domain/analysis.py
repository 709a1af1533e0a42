"""One analysis of an endpoint by a model, as it is kept: what it called, what came of it, what it cost. Pure."""

from dataclasses import dataclass
from enum import StrEnum

from rubato.domain.conversation import ModelFault
from rubato.domain.instant import DAY, HOUR, MINUTE, SECOND

# An analysis holds its endpoint for so long; longer than its function may run.
LEASE_MS = 3 * MINUTE
MAX_DURATION_MS = 60 * SECOND
MAX_OUTPUT_TOKENS = 8_000
# Of one call: many models refuse to be asked for more, and it is what is reserved of the tenant's day.
MAX_ANSWER_TOKENS = 2_048
MIN_NEXT_MS, MAX_NEXT_MS = 5 * MINUTE, DAY
_AFTER_UNFINISHED_MS = 30 * MINUTE
_AFTER_QUOTA_MS = HOUR
_LONGEST_BACKOFF_MS = HOUR
_MILLION = 1_000_000
# The first call of an analysis takes about so many: what it is told, and the longest answer.
LEAST_TOKENS = 4_000


class Outcome(StrEnum):
    """How an analysis stands or ended; the names are part of the public API.

    running: under way, or its worker died; submitted: the model came to its end; no_submit: it stopped without one;
    steps_exhausted, tokens_exhausted, timeout: it had no end within its bounds; model_error: no answer, see the error;
    quota_exhausted: the tenant's tokens of the day are used up; failed: Rubato itself failed at it.
    """

    RUNNING = "running"
    SUBMITTED = "submitted"
    NO_SUBMIT = "no_submit"
    STEPS_EXHAUSTED = "steps_exhausted"
    TOKENS_EXHAUSTED = "tokens_exhausted"
    TIMEOUT = "timeout"
    MODEL_ERROR = "model_error"
    QUOTA_EXHAUSTED = "quota_exhausted"
    FAILED = "failed"


_BROKEN = (Outcome.RUNNING, Outcome.MODEL_ERROR, Outcome.FAILED, Outcome.TIMEOUT)


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolUse:
    """One call of a tool and what the model was told, both cut. `arguments` as JSON text."""

    name: str
    arguments: str
    result: str
    is_error: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """Times in ms since the epoch. `calls` are in their order; `cost` in dollars, None where no price is set.

    `confidence` and `next_analysis_in_ms` are the model's own words, None without a submission. `error` tells in a
    sentence why there is none; `fault` says so when the model gave no answer.
    """

    analysis_id: str
    tenant_id: str
    job_id: str
    endpoint_id: str
    model: str
    started_at: int
    is_dry_run: bool = False
    finished_at: int | None = None
    outcome: Outcome = Outcome.RUNNING
    reasoning: str | None = None
    confidence: float | None = None
    next_analysis_in_ms: int | None = None
    calls: tuple[ToolUse, ...] = ()
    ignored_calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float | None = None
    error: str | None = None
    fault: ModelFault | None = None
    retry_after_s: int | None = None

    @property
    def duration_ms(self) -> int | None:
        """From its beginning to its end; None while it runs."""
        return None if self.finished_at is None else max(self.finished_at - self.started_at, 0)


def cost_of(input_tokens: int, output_tokens: int, input_price: float, output_price: float) -> float | None:
    """Dollars, from prices per million tokens; None where neither is set."""
    if not input_price and not output_price:
        return None
    return round((input_tokens * input_price + output_tokens * output_price) / _MILLION, 6)


def is_exhausted(tokens_today: int, tokens_per_day: int) -> bool:
    """Whether not even one more call of a model fits into the day."""
    return bool(tokens_per_day) and tokens_today + LEAST_TOKENS > tokens_per_day


def next_look(analysis: Analysis, earlier: tuple[Analysis, ...], now: int, next_day: int) -> int:
    """When to look again: as the model said; else later each time that nothing came of it. `earlier` newest first."""
    if analysis.next_analysis_in_ms is not None:
        return now + min(max(analysis.next_analysis_in_ms, MIN_NEXT_MS), MAX_NEXT_MS)
    if analysis.outcome is Outcome.QUOTA_EXHAUSTED:
        return min(next_day, now + _AFTER_QUOTA_MS)
    if analysis.outcome not in _BROKEN:
        return now + _AFTER_UNFINISHED_MS
    backoff = min(MIN_NEXT_MS << min(_broken_in_a_row(earlier), 8), _LONGEST_BACKOFF_MS)
    return now + max(backoff, (analysis.retry_after_s or 0) * SECOND)


def has_to_wait(analysis: Analysis) -> bool:
    """Whether the next look keeps its time whatever the endpoint does: asking sooner would only fail again."""
    return analysis.outcome is Outcome.QUOTA_EXHAUSTED or analysis.outcome in _BROKEN


def _broken_in_a_row(earlier: tuple[Analysis, ...]) -> int:
    return next((n for n, each in enumerate(earlier) if each.outcome not in _BROKEN), len(earlier))


def cut(text: str, limit: int) -> str:
    """At most so many characters, the last of them a mark when there was more."""
    return text if len(text) <= limit else text[: limit - 1] + "…"
