"""The tables, as pynamodb models. Attribute and index names are those of template.yaml.

NOTE: create and replace items with save(), never update() as an upsert: that would drop the discriminator.
"""

import json
from typing import Any

from pynamodb.attributes import (
    BooleanAttribute,
    DiscriminatorAttribute,
    JSONAttribute,
    NumberAttribute,
    UnicodeAttribute,
)
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex, KeysOnlyProjection
from pynamodb.models import Model

SCHEMA_VERSION = 1


class BaseMeta:
    """Table and region are bound by open_tables."""

    table_name = "unbound"
    region: str | None = None


class CompactJSON(JSONAttribute):
    """JSON without white space: items are billed by the byte."""

    def serialize(self, value: Any) -> str | None:
        """Without spaces, in UTF-8 rather than escapes."""
        return None if value is None else json.dumps(value, separators=(",", ":"), ensure_ascii=False)


class ByTenantStatus(GlobalSecondaryIndex["JobItem"]):
    """Jobs of a tenant by status, in the order of their creation."""

    class Meta(BaseMeta):
        """Index name and projection."""

        index_name = "byTenantStatus"
        projection = AllProjection()

    tenant_status = UnicodeAttribute(hash_key=True, attr_name="tenantStatus")
    job_id = UnicodeAttribute(range_key=True, attr_name="jobId")


class Ruled(GlobalSecondaryIndex["JobItem"]):
    """Sparse: the active jobs that have rules. One partition: only saving a job writes to it."""

    class Meta(BaseMeta):
        """Index name and projection."""

        index_name = "ruled"
        projection = KeysOnlyProjection()

    ruled = UnicodeAttribute(hash_key=True)
    job_id = UnicodeAttribute(range_key=True, attr_name="jobId")


class JobItem(Model):
    """One job."""

    class Meta(BaseMeta):
        """Bound by Jobs."""

    job_id = UnicodeAttribute(hash_key=True, attr_name="jobId")
    tenant_status = UnicodeAttribute(attr_name="tenantStatus")
    tenant_id = UnicodeAttribute(attr_name="tenantId")
    status = UnicodeAttribute()
    name = UnicodeAttribute()
    version = NumberAttribute()
    details = CompactJSON()
    created_at = NumberAttribute(attr_name="createdAt")
    updated_at = NumberAttribute(attr_name="updatedAt")
    ruled = UnicodeAttribute(null=True)
    v = NumberAttribute(default=SCHEMA_VERSION)
    by_tenant_status = ByTenantStatus()
    by_ruled = Ruled()


class LedgerItem(Model):
    """How the rules of one job stand."""

    class Meta(BaseMeta):
        """Bound by RuleLedgers."""

    job_id = UnicodeAttribute(hash_key=True, attr_name="jobId")
    version = NumberAttribute()
    ledger = CompactJSON()
    mark = UnicodeAttribute()
    v = NumberAttribute(default=SCHEMA_VERSION)


class Due(GlobalSecondaryIndex["EndpointsItem"]):
    """The hot query of the tick: sparse, keys only, oldest first."""

    class Meta(BaseMeta):
        """Index name and projection."""

        index_name = "due"
        projection = KeysOnlyProjection()

    shard = NumberAttribute(hash_key=True)
    due_at = NumberAttribute(range_key=True, attr_name="dueAt")


class Looks(GlobalSecondaryIndex["EndpointsItem"]):
    """The query of the planner: sparse, keys only, oldest first."""

    class Meta(BaseMeta):
        """Index name and projection."""

        index_name = "looks"
        projection = KeysOnlyProjection()

    shard = NumberAttribute(hash_key=True)
    look_at = NumberAttribute(range_key=True, attr_name="lookAt")


class EndpointsItem(Model):
    """Any item of the endpoints table: an endpoint's configuration, state and hints, and its name within the job."""

    class Meta(BaseMeta):
        """Bound by Endpoints."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    kind = DiscriminatorAttribute()
    ttl = NumberAttribute(null=True)
    v = NumberAttribute(default=SCHEMA_VERSION)
    due = Due()
    looks = Looks()


class ConfigItem(EndpointsItem, discriminator="config"):
    """What the owner set; wide, written only when it changes."""

    tenant_id = UnicodeAttribute(attr_name="tenantId")
    job_id = UnicodeAttribute(attr_name="jobId")
    name = UnicodeAttribute()
    version = NumberAttribute()
    baseline = CompactJSON()
    request = CompactJSON()
    settings = CompactJSON()
    created_at = NumberAttribute(attr_name="createdAt")
    updated_at = NumberAttribute(attr_name="updatedAt")
    deleted_at = NumberAttribute(null=True, attr_name="deletedAt")


class StateItem(EndpointsItem, discriminator="state"):
    """Where the schedule stands; narrow, written on every run, alone in the due index."""

    version = NumberAttribute()
    shard = NumberAttribute(null=True)
    due_at = NumberAttribute(null=True, attr_name="dueAt")
    look_at = NumberAttribute(null=True, attr_name="lookAt")
    anchor = NumberAttribute()
    last_slot = NumberAttribute(null=True, attr_name="lastSlot")
    failures = NumberAttribute(default=0)
    pause = CompactJSON(null=True)
    held = BooleanAttribute(default=False)
    ruled = BooleanAttribute(null=True)
    synthetic = BooleanAttribute(null=True)
    shadow = NumberAttribute(null=True)
    parked = BooleanAttribute(default=False)
    next = CompactJSON(null=True)
    claim = CompactJSON(null=True)
    fence = NumberAttribute(default=0)
    skipped = NumberAttribute(default=0)
    missed = NumberAttribute(default=0)
    last_run = CompactJSON(null=True, attr_name="lastRun")
    progress = CompactJSON(null=True)
    mark = UnicodeAttribute(null=True)
    # What a tick has to know of a claim, for it to be read without the rest.
    lease_until = NumberAttribute(null=True, attr_name="leaseUntil")
    call_at = NumberAttribute(null=True, attr_name="callAt")
    signers = UnicodeAttribute(null=True)


class HintItem(EndpointsItem, discriminator="hint"):
    """One hint; TTL removes it some time after its expiry."""

    hint_kind = UnicodeAttribute(attr_name="hintKind")
    author = UnicodeAttribute()
    created_at = NumberAttribute(attr_name="createdAt")
    expires_at = NumberAttribute(attr_name="expiresAt")
    first_slot = NumberAttribute(attr_name="firstSlot")
    interval_ms = NumberAttribute(null=True, attr_name="intervalMs")
    reason = UnicodeAttribute(null=True)


class NameItem(EndpointsItem, discriminator="name"):
    """In the job's partition: keeps a name unique and lists the job's endpoints by it."""

    endpoint_id = UnicodeAttribute(attr_name="endpointId")


class FollowerItem(EndpointsItem, discriminator="follower"):
    """In a partition of its own for each endpoint that is followed: who follows it."""


class SecretItem(EndpointsItem, discriminator="secret"):
    """In a partition for each job that has any: the name of a secret, never its value. Without hosts: for any."""

    tenant_id = UnicodeAttribute(attr_name="tenantId")
    updated_at = NumberAttribute(attr_name="updatedAt")
    hosts = CompactJSON(null=True)
    held_until = NumberAttribute(null=True, attr_name="heldUntil")


class SigningKeysItem(EndpointsItem, discriminator="signingKeys"):
    """In a partition for each tenant that has any: the live keys of a holder, as (id, created at), no secrets."""

    live = JSONAttribute()


class RequestItem(Model):
    """One request that carried an Idempotency-Key; without an answer while it is being worked on."""

    class Meta(BaseMeta):
        """Bound by Idempotency."""

    request_id = UnicodeAttribute(hash_key=True, attr_name="requestId")
    fingerprint = UnicodeAttribute()
    holder = UnicodeAttribute()
    answer = CompactJSON(null=True)
    expires_at = NumberAttribute(attr_name="expiresAt")
    ttl = NumberAttribute()
    v = NumberAttribute(default=SCHEMA_VERSION)


class UsageItem(Model):
    """One counter of a tenant: `endpoints`, `runs#DAY`, `tokens#DAY`; under `over#DAY`, a tenant beyond its quota."""

    class Meta(BaseMeta):
        """Bound by UsageCounters."""

    pk = UnicodeAttribute(hash_key=True)
    sk = UnicodeAttribute(range_key=True)
    used = NumberAttribute()
    mark = UnicodeAttribute(null=True)
    ttl = NumberAttribute(null=True)
    v = NumberAttribute(default=SCHEMA_VERSION)


class ByAgent(GlobalSecondaryIndex["EventItem"]):
    """Sparse: what registered agents did."""

    class Meta(BaseMeta):
        """Index name and projection."""

        index_name = "byAgent"
        projection = AllProjection()

    agent_id = UnicodeAttribute(hash_key=True, attr_name="agentId")
    event_id = UnicodeAttribute(range_key=True, attr_name="eventId")


class EventItem(Model):
    """One audit event."""

    class Meta(BaseMeta):
        """Bound by Trail and by the writers of events."""

    subject = UnicodeAttribute(hash_key=True)
    event_id = UnicodeAttribute(range_key=True, attr_name="eventId")
    tenant_id = UnicodeAttribute(attr_name="tenantId")
    at = NumberAttribute()
    actor = UnicodeAttribute()
    action = UnicodeAttribute()
    before = CompactJSON()
    after = CompactJSON()
    reason = UnicodeAttribute(null=True)
    agent_id = UnicodeAttribute(null=True, attr_name="agentId")
    agent_name = UnicodeAttribute(null=True, attr_name="agentName")
    owner = UnicodeAttribute(null=True)
    door = UnicodeAttribute(null=True)
    ttl = NumberAttribute()
    v = NumberAttribute(default=SCHEMA_VERSION)
    by_agent = ByAgent()


def whole(value: float | None) -> int | None:
    """A number as stored is a float or an int; ours are whole, or missing."""
    return None if value is None else int(value)
