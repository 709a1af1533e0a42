"""Every metric, with its unit and meaning. The set is small and fixed: CloudWatch bills each name each month.

Namespace `Rubato`; the only dimension is `service`, the stack's name. A dimension more, such as the tenant, would
make a metric of its own for each of its values.
"""

from dataclasses import dataclass

NAMESPACE = "Rubato"
COUNT = "Count"
MILLISECONDS = "Milliseconds"


@dataclass(frozen=True, slots=True)
class Metric:
    """A metric as CloudWatch knows it."""

    name: str
    unit: str
    meaning: str


# By the name of the outcome or measure in the code. Outcomes that are not here are not counted: nothing was to be done.
METRICS = {
    "lateness": Metric("Lateness", MILLISECONDS, "from a run's due time to its first call; never negative"),
    "oldest_due_age": Metric("OldestDueAge", MILLISECONDS, "for how long the oldest due run has not begun; each tick"),
    "claimed": Metric("Claimed", COUNT, "slots that the tick claimed and sent"),
    "resent": Metric("Resent", COUNT, "claims that nobody began, sent again"),
    "recovered": Metric("Recovered", COUNT, "runs whose worker died, sent again as their next attempt"),
    "left": Metric("Left", COUNT, "due endpoints that a tick had no time for"),
    "failed": Metric("TickFailures", COUNT, "endpoints, or shards, that the tick failed at"),
    "shard_unread": Metric("TickFailures", COUNT, "as above"),
    "dispatched": Metric("Dispatched", COUNT, "calls of targets, further attempts included"),
    "success": Metric("RunsSucceeded", COUNT, "runs that ended well"),
    "failure": Metric("RunsFailed", COUNT, "runs that ended badly"),
    "synthetic_success": Metric("SyntheticSucceeded", COUNT, "runs of synthetic jobs that ended well"),
    "synthetic_failure": Metric("SyntheticFailed", COUNT, "runs of synthetic jobs that ended badly"),
    "synthetic_lateness": Metric("SyntheticLateness", MILLISECONDS, "the same as Lateness, of synthetic jobs"),
    "retry": Metric("Retries", COUNT, "failed attempts after which another was planned"),
    "over_quota": Metric("HeldByQuota", COUNT, "runs that wait for the next day"),
    "stale": Metric("Stale", COUNT, "messages of runs that are not to be any more; dropped"),
    "duplicate": Metric("DuplicatesDropped", COUNT, "messages of runs that somebody else has begun"),
    "lease_lost": Metric("LeasesLost", COUNT, "ends that came after the lease; kept as late records only"),
    "dispatch_error": Metric("DispatchErrors", COUNT, "messages that failed and went back to the queue"),
    "let_go": Metric("MessagesLetGo", COUNT, "looks of rules or the planner given up after five receives"),
    "authorizer_error": Metric("AuthorizerErrors", COUNT, "requests whose key could not be looked up"),
    "throttled": Metric("Throttled", COUNT, "answers of AWS (DynamoDB, SQS, Parameter Store) that asked to slow down"),
    "vault_error": Metric("VaultErrors", COUNT, "times that Parameter Store gave no secret or signing key"),
    "analysis_submitted": Metric("AnalysesSubmitted", COUNT, "analyses that the model brought to its end"),
    "analysis_no_submit": Metric("AnalysesUnfinished", COUNT, "analyses without an end within their bounds"),
    "analysis_steps_exhausted": Metric("AnalysesUnfinished", COUNT, "as above"),
    "analysis_tokens_exhausted": Metric("AnalysesUnfinished", COUNT, "as above"),
    "analysis_timeout": Metric("AnalysesUnfinished", COUNT, "as above"),
    "analysis_model_error": Metric("ModelErrors", COUNT, "analyses to which the model gave no answer"),
    "analysis_quota_exhausted": Metric("AnalysesOverQuota", COUNT, "analyses for which a tenant had no tokens left"),
    "analysis_failed": Metric("AnalysisErrors", COUNT, "analyses that Rubato itself failed at"),
    "analysis_error": Metric("AnalysisErrors", COUNT, "as above"),
    "planner_tokens": Metric("PlannerTokens", COUNT, "tokens of the model, in and out"),
    "rule_fired": Metric("RulesFired", COUNT, "rules that fired"),
    "rule_error": Metric("RuleErrors", COUNT, "looks at a rule whose condition could not be evaluated"),
    "rule_refused": Metric("RuleActionsRefused", COUNT, "actions of rules that were refused: a clamp, a pause"),
    "announced": Metric("NoticesSent", COUNT, "notices to people"),
}
