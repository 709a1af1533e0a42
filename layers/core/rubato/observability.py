"""Logs and metrics: structured lines through Powertools, metrics in CloudWatch's embedded format."""

import threading
from collections import Counter, defaultdict
from typing import Any

from aws_lambda_powertools.logging import Logger

_MAX_VALUES = 100  # of one metric in one embedded-format line


class LambdaTelemetry:
    """Implements ports.Telemetry. Collects over an invocation, from any thread; `flush` writes it out."""

    def __init__(self) -> None:
        self._logger = Logger()
        self._counts: Counter[str] = Counter()
        self._durations: dict[str, list[int]] = defaultdict(list)
        self._lock = threading.Lock()

    def count(self, metric: str, value: int = 1) -> None:
        """Add to a metric."""
        with self._lock:
            self._counts[metric] += value

    def measure(self, metric: str, milliseconds: int) -> None:
        """One observation of a duration."""
        with self._lock:
            self._durations[metric].append(milliseconds)

    def info(self, message: str, **fields: Any) -> None:
        """A line at INFO."""
        self._logger.info(message, extra=fields)

    def warn(self, message: str, **fields: Any) -> None:
        """A line at WARNING."""
        self._logger.warning(message, extra=fields)

    def error(self, message: str, **fields: Any) -> None:
        """A line at ERROR with the exception that is being handled. Its text never holds bodies or secrets."""
        self._logger.exception(message, extra=fields)

    def flush(self) -> None:
        """Write the metrics of this invocation; nothing when there are none."""
        with self._lock:
            counts, durations = self._counts, self._durations
            self._counts, self._durations = Counter(), defaultdict(list)
        if not counts and not durations:
            return
        # NOTE: imported here: API requests have no metrics and need not pay for it.
        from aws_lambda_powertools.metrics import Metrics, MetricUnit

        metrics = Metrics(namespace="Rubato")
        for metric, value in counts.items():
            metrics.add_metric(name=metric, unit=MetricUnit.Count, value=value)
        for metric, values in durations.items():
            for each in values[:_MAX_VALUES]:
                metrics.add_metric(name=metric, unit=MetricUnit.Milliseconds, value=each)
        metrics.flush_metrics()
