"""The items of the runs table."""

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.indexes import GlobalSecondaryIndex, IncludeProjection
from pynamodb.models import Model

from rubato.adapters.dynamodb.tables import SCHEMA_VERSION, BaseMeta, CompactJSON

RUN_SUMMARY = (
    "tenantId",
    "status",
    "source",
    "slot",
    "dueAt",
    "startedAt",
    "finishedAt",
    "statusCode",
    "errorKind",
    "errorMessage",
    "attempt",
    "hintId",
    "v",
)


class ByJob(GlobalSecondaryIndex["RunItem"]):
    """Runs of a job in the order of their slots; without what only the details of a run show."""

    class Meta(BaseMeta):
        """Index name and projection."""

        index_name = "byJob"
        projection = IncludeProjection(list(RUN_SUMMARY))

    job_id = UnicodeAttribute(hash_key=True, attr_name="jobId")
    order = UnicodeAttribute(range_key=True)


class RunItem(Model):
    """One finished run. `detail` is zlib-compressed JSON: hint, attempts, request, response."""

    class Meta(BaseMeta):
        """Bound by Runs."""

    endpoint_id = UnicodeAttribute(hash_key=True, attr_name="endpointId")
    run_id = UnicodeAttribute(range_key=True, attr_name="runId")
    job_id = UnicodeAttribute(attr_name="jobId")
    order = UnicodeAttribute()
    tenant_id = UnicodeAttribute(attr_name="tenantId")
    status = UnicodeAttribute()
    source = UnicodeAttribute()
    slot = NumberAttribute()
    due_at = NumberAttribute(attr_name="dueAt")
    started_at = NumberAttribute(null=True, attr_name="startedAt")
    finished_at = NumberAttribute(null=True, attr_name="finishedAt")
    status_code = NumberAttribute(null=True, attr_name="statusCode")
    error_kind = UnicodeAttribute(null=True, attr_name="errorKind")
    error_message = UnicodeAttribute(null=True, attr_name="errorMessage")
    attempt = NumberAttribute()
    hint_id = UnicodeAttribute(null=True, attr_name="hintId")
    detail = BinaryAttribute(null=True, legacy_encoding=False)
    late = CompactJSON(null=True)
    ttl = NumberAttribute()
    v = NumberAttribute(default=SCHEMA_VERSION)
    by_job = ByJob()
