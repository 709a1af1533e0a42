"""Logs and metrics: structured lines through Powertools, metrics in CloudWatch's embedded format."""

import json
import logging
import sys
import threading
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from traceback import extract_tb
from typing import Any

from aws_lambda_powertools.logging import Logger

from rubato.metrics import METRICS, NAMESPACE

_MAX_VALUES = 100  # of one metric in one embedded-format line
_MAX_FRAMES = 12
_CALLER = 3  # so that a line names whoever wrote it, and not this module

# They write requests and answers of AWS at DEBUG, values of the vault among them. Lambda's runtime puts the root
# logger, which they follow, at the deployment's LogLevel; tests/functions/test_nothing_leaks.py tells of new ones.
_OTHERS = (
    "asyncio", "aws_lambda_powertools", "boto3", "botocore", "concurrent", "croniter", "dateutil", "h11", "httpcore",
    "httpx", "jmespath", "pydantic", "pynamodb", "urllib3",
)  # fmt: skip

# NOTE: our own, because Powertools' append_keys is shared by all threads, and ten messages are handled at once.
_ABOUT: ContextVar[dict[str, Any] | None] = ContextVar("about", default=None)


class LambdaTelemetry:
    """Implements ports.Telemetry. Collects over an invocation, from any thread; `flush` writes it out."""

    def __init__(self) -> None:
        hush()
        self._logger = Logger(json_serializer=_as_json)
        self._counts: Counter[str] = Counter()
        self._durations: dict[str, list[int]] = defaultdict(list)
        self._peaks: dict[str, int] = {}
        self._lock = threading.Lock()

    def count(self, metric: str, value: int = 1) -> None:
        """Add to a metric."""
        if metric in METRICS:
            with self._lock:
                self._counts[metric] += value

    def measure(self, metric: str, milliseconds: int) -> None:
        """One observation of a duration."""
        with self._lock:
            self._durations[metric].append(milliseconds)

    def peak(self, metric: str, milliseconds: int) -> None:
        """The longest of an invocation is what is written."""
        with self._lock:
            self._peaks[metric] = max(self._peaks.get(metric, 0), milliseconds)

    @contextmanager
    def about(self, **fields: Any) -> Iterator[None]:
        """A piece of work in this thread: its lines carry these fields and what is noted meanwhile, and no other's."""
        token = _ABOUT.set({})
        try:
            self.note(**fields)
            yield
        finally:
            _ABOUT.reset(token)

    def note(self, **fields: Any) -> None:
        """More that the piece of work is about; outside of one, nothing."""
        known = _ABOUT.get()
        if known is not None:
            known.update({name: value for name, value in fields.items() if value is not None})

    def debug(self, message: str, **fields: Any) -> None:
        """A line at DEBUG."""
        self._logger.debug(message, extra=_line(fields), stacklevel=_CALLER)

    def info(self, message: str, **fields: Any) -> None:
        """A line at INFO."""
        self._logger.info(message, extra=_line(fields), stacklevel=_CALLER)

    def warn(self, message: str, **fields: Any) -> None:
        """A line at WARNING."""
        self._logger.warning(message, extra=_line(fields), stacklevel=_CALLER)

    def error(self, message: str, **fields: Any) -> None:
        """A line at ERROR that says which exception is being handled, and where it came from, but not its text.

        The text of an exception may quote what it choked on: a body, a URL, a key.
        """
        self._logger.error(message, extra=_line(fields) | _trouble(sys.exception()), stacklevel=_CALLER)

    def flush(self) -> None:
        """Write the metrics of this invocation; nothing when there are none."""
        with self._lock:
            once, durations = {**self._counts, **self._peaks}, self._durations
            self._counts, self._durations, self._peaks = Counter(), defaultdict(list), {}
        values = {metric: [value] for metric, value in once.items()} | durations
        if not values:
            return
        # NOTE: imported here: API requests have no metrics and need not pay for it.
        from aws_lambda_powertools.metrics import Metrics

        metrics = Metrics(namespace=NAMESPACE)
        for metric, observed in values.items():
            for value in observed[:_MAX_VALUES]:
                metrics.add_metric(name=METRICS[metric].name, unit=METRICS[metric].unit, value=value)
        metrics.flush_metrics()


def hush() -> None:
    """Let no library write below WARNING, whatever becomes of the root logger, nor anybody unknown below INFO."""
    for name in _OTHERS:
        logging.getLogger(name).setLevel(logging.WARNING)
    root = logging.getLogger()
    root.setLevel(max(root.level, logging.INFO))


def _as_json(line: dict[str, Any]) -> str:
    """In ASCII: what a caller or a target wrote breaks no line of a viewer, and steers no terminal that shows it."""
    return json.dumps(line, separators=(",", ":"), default=str)


def _line(fields: dict[str, Any]) -> dict[str, Any]:
    told = {name: value for name, value in fields.items() if value is not None}
    return {**(_ABOUT.get() or {}), **told}


def _trouble(error: BaseException | None) -> dict[str, Any]:
    if error is None:
        return {}
    frames = extract_tb(error.__traceback__)[-_MAX_FRAMES:]
    kinds: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(kinds) < _MAX_FRAMES:
        kinds.append(_kind(cause))
        cause = cause.__cause__ or cause.__context__
    return {"error": " <- ".join(kinds), "stack": [f"{each.filename}:{each.lineno} {each.name}" for each in frames]}


def _kind(error: BaseException) -> str:
    """The type and, for what AWS answered, its code."""
    answer = getattr(error, "response", None)
    code = (answer.get("Error") or {}).get("Code") if isinstance(answer, dict) else None
    return f"{type(error).__name__}({code})" if code else type(error).__name__
