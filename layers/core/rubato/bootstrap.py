"""The composition root: the only place that knows which adapter stands behind which port."""

import os
from functools import cached_property
from typing import TYPE_CHECKING, Any

from rubato.adapters.clock import SystemClock, SystemEntropy
from rubato.adapters.throttles import count_throttles
from rubato.domain.lane import Lane
from rubato.domain.limits import Limits
from rubato.observability import LambdaTelemetry
from rubato.ports import (
    Agents,
    Analyses,
    Clock,
    Endpoints,
    Entropy,
    Idempotency,
    Jobs,
    Keys,
    Model,
    Notifications,
    Outbound,
    RuleLedgers,
    RunQueue,
    Runs,
    Secrets,
    SigningKeys,
    TickWorkers,
    Trail,
    UsageCounters,
    Vault,
)
from rubato.settings import Settings

if TYPE_CHECKING:
    from rubato.adapters.deliveries import SqsDeliveries


class AwsWorld:
    """All ports over AWS. Every adapter is opened on first use, so a function pays only for what it touches.

    Keyword overrides replace single ports: `AwsWorld(settings, clock=my_clock)`.
    """

    clock: Clock = SystemClock()
    entropy: Entropy = SystemEntropy()

    def __init__(self, settings: Settings, **overrides: Any) -> None:
        self.settings = settings
        self.telemetry = LambdaTelemetry()
        for port, adapter in overrides.items():
            setattr(self, port, adapter)

    @property
    def limits(self) -> Limits:
        """What the deployment allows."""
        return self.settings.limits

    @cached_property
    def jobs(self) -> Jobs:
        """Jobs in DynamoDB."""
        from rubato.adapters.dynamodb.jobs import DynamoJobs

        return DynamoJobs(self._connection, self.settings.retention_s)

    @cached_property
    def rule_ledgers(self) -> RuleLedgers:
        """How rules stand, in DynamoDB."""
        from rubato.adapters.dynamodb.rules import DynamoRuleLedgers

        _ = self._connection
        return DynamoRuleLedgers()

    @cached_property
    def endpoints(self) -> Endpoints:
        """Endpoints in DynamoDB."""
        from rubato.adapters.dynamodb.endpoints import DynamoEndpoints

        return DynamoEndpoints(self._connection, self.limits.shards, self.settings.retention_s)

    @cached_property
    def runs(self) -> Runs:
        """Runs in DynamoDB."""
        from rubato.adapters.dynamodb.runs import DynamoRuns

        _ = self._connection
        return DynamoRuns(self.settings.retention_s)

    @cached_property
    def keys(self) -> Keys:
        """Keys in DynamoDB."""
        from rubato.adapters.dynamodb.keys import DynamoKeys

        return DynamoKeys(self._connection, self.settings.retention_s)

    @cached_property
    def agents(self) -> Agents:
        """Agents in DynamoDB."""
        from rubato.adapters.dynamodb.agents import DynamoAgents

        return DynamoAgents(self._connection, self.settings.retention_s)

    @cached_property
    def vault(self) -> Vault:
        """Values in Parameter Store, remembered for a while; its client is opened when a value is needed."""
        from rubato.adapters.remembering_vault import RememberingVault
        from rubato.adapters.ssm import SsmVault

        assert self.settings.vault is not None, "VAULT is not set"
        vault = SsmVault(self._open_ssm, self.settings.vault)
        return RememberingVault(vault, self.clock, lambda: self.telemetry.count("vault_error"))

    @cached_property
    def secrets(self) -> Secrets:
        """Names of secrets in DynamoDB."""
        from rubato.adapters.dynamodb.custody import DynamoSecrets

        return DynamoSecrets(self._connection, self.settings.retention_s)

    @cached_property
    def signing_keys(self) -> SigningKeys:
        """Signing keys in DynamoDB, without their secrets."""
        from rubato.adapters.dynamodb.custody import DynamoSigningKeys

        return DynamoSigningKeys(self._connection, self.settings.retention_s)

    @cached_property
    def idempotency(self) -> Idempotency:
        """Idempotent requests in DynamoDB."""
        from rubato.adapters.dynamodb.idempotency import DynamoIdempotency

        _ = self._connection
        return DynamoIdempotency()

    @cached_property
    def trail(self) -> Trail:
        """The audit trail in DynamoDB."""
        from rubato.adapters.dynamodb.trail import DynamoTrail

        _ = self._connection
        return DynamoTrail()

    @cached_property
    def usage(self) -> UsageCounters:
        """Counters in DynamoDB."""
        from rubato.adapters.dynamodb.usage import DynamoUsage

        _ = self._connection
        return DynamoUsage()

    @cached_property
    def analyses(self) -> Analyses:
        """Analyses in DynamoDB."""
        from rubato.adapters.dynamodb.analyses import DynamoAnalyses

        return DynamoAnalyses(self._connection, self.settings.retention_s)

    @cached_property
    def model(self) -> Model:
        """The model that the deployment names."""
        wanted = self.settings.model
        if wanted.provider == "bedrock":
            from rubato.adapters import bedrock

            return bedrock.BedrockModel(wanted.model_id, bedrock.opener(self.settings.region, lambda: self._session))
        assert wanted.provider == "openai", f"MODEL_PROVIDER {wanted.provider!r} is not known"
        from rubato.adapters import openai, secrets
        from rubato.domain.targets import parse_cidrs

        opener = secrets.opener(lambda: self._session)
        key = secrets.StoredSecret(wanted.key_arn, opener) if wanted.key_arn else None
        allowed = parse_cidrs(self.limits.allowed_target_cidrs)
        return openai.OpenAiModel(wanted.url, wanted.model_id, self.outbound, allowed, key)

    @cached_property
    def queue(self) -> RunQueue:
        """The run queue in SQS."""
        from rubato.adapters.sqs import SqsRunQueue

        return SqsRunQueue(self._sqs, self._queue_urls)

    @cached_property
    def deliveries(self) -> "SqsDeliveries":
        """What Lambda received from the run queue."""
        from rubato.adapters.deliveries import SqsDeliveries

        return SqsDeliveries(self._sqs, self._queue_urls)

    @cached_property
    def tick_workers(self) -> TickWorkers:
        """Invocations of this very function."""
        from rubato.adapters.tick_workers import LambdaTickWorkers, open_client

        assert self.settings.function_name is not None, "AWS_LAMBDA_FUNCTION_NAME is not set"
        return LambdaTickWorkers(open_client(self.settings.region, self._session), self.settings.function_name)

    @cached_property
    def outbound(self) -> Outbound:
        """HTTP to targets."""
        from rubato.adapters.http.outbound import PinnedOutbound
        from rubato.domain.targets import parse_cidrs

        return PinnedOutbound(parse_cidrs(self.limits.allowed_target_cidrs))

    @property
    def _queue_urls(self) -> dict[Lane, str]:
        fast, slow = self.settings.queue_url, self.settings.slow_queue_url
        assert fast is not None and slow is not None, "RUN_QUEUE_URL or SLOW_RUN_QUEUE_URL is not set"
        known = {
            Lane.FAST: fast,
            Lane.SLOW: slow,
            Lane.RULES: self.settings.rule_queue_url,
            Lane.ANALYSES: self.settings.analysis_queue_url,
        }
        return {lane: url for lane, url in known.items() if url is not None}

    @cached_property
    def _sqs(self) -> Any:
        from rubato.adapters.sqs import open_client

        client = open_client(self.settings.region, self._session)
        self._watch(client)
        return client

    def _open_ssm(self) -> Any:
        from rubato.adapters.ssm import open_client

        client = open_client(self.settings.region)
        self._watch(client)
        return client

    @cached_property
    def notifications(self) -> Notifications:
        """To the topics and the bus that the deployment names."""
        from rubato.adapters.notices import AllNotifications

        destinations: list[Notifications] = []
        if self.settings.topic_arns:
            from rubato.adapters.sns import SnsNotifications

            destinations += [SnsNotifications(arn, arn.split(":")[3]) for arn in self.settings.topic_arns]
        if self.settings.bus_name is not None:
            from rubato.adapters.eventbridge import EventBridgeNotifications

            destinations.append(EventBridgeNotifications(self.settings.bus_name, self.settings.region))
        return AllNotifications(destinations)

    @cached_property
    def _connection(self) -> Any:
        from rubato.adapters.dynamodb.connection import open_tables

        opened = open_tables(self.settings.tables, self.settings.region, self._session, **self.settings.credentials)
        self._watch(opened.client)
        return opened

    @cached_property
    def _session(self) -> Any:
        from botocore.session import get_session

        return get_session()

    def _watch(self, client: Any) -> None:
        count_throttles(client, lambda: self.telemetry.count("throttled"))

    def open(self, *ports: str) -> None:
        """Open these ports now, in this thread: opening is not safe in several threads at once."""
        for port in ports:
            getattr(self, port)


_world: AwsWorld | None = None


def world() -> AwsWorld:
    """The world of this process, from its environment; made at the first invocation, not at import."""
    global _world
    if _world is None:
        _world = AwsWorld(Settings.from_env(os.environ))
    return _world
