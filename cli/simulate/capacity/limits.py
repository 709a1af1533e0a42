"""What AWS publishes: limits that a deployment meets, each with the page that says so. Pages read in November 2026."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limit:
    """One published number. `quota` is what to ask AWS to raise; empty when it can't be raised."""

    value: float
    unit: str
    source: str
    quota: str = ""


_TABLES = "DynamoDB Developer Guide, Quotas in Amazon DynamoDB"
_PARTITIONS = "DynamoDB Developer Guide, Best practices for designing and using partition keys effectively"
_ON_DEMAND = "DynamoDB Developer Guide, Understanding DynamoDB warm throughput in different scenarios"
_MAPPING = "Lambda Developer Guide, Configuring scaling behavior for SQS event source mappings"
_SCALING = "Lambda Developer Guide, Understanding Lambda function scaling"
_QUEUES = "SQS Developer Guide, Amazon SQS queue quotas"

TABLE_WRITES = Limit(40_000, "write units/s", _TABLES, "Table-level write throughput limit")
TABLE_READS = Limit(40_000, "read units/s", _TABLES, "Table-level read throughput limit")
NEW_TABLE_WRITES = Limit(4_000, "write units/s", _ON_DEMAND)
NEW_TABLE_READS = Limit(12_000, "read units/s", _ON_DEMAND)
PARTITION_WRITES = Limit(1_000, "write units/s", _PARTITIONS)
PARTITION_READS = Limit(3_000, "read units/s", _PARTITIONS)
CONCURRENCY = Limit(1_000, "executions", _SCALING, "Concurrent executions")
MAPPING_START = Limit(5, "batches", _MAPPING)
MAPPING_GROWTH = Limit(300, "batches/min", _MAPPING)
MAPPING_CONCURRENCY = Limit(1_000, "batches", "Lambda API Reference, ScalingConfig")
MAPPING_UNCAPPED = Limit(1_250, "batches", _MAPPING)
PROVISIONED_CONCURRENCY = Limit(
    20_000, "batches", "AWS News Blog, AWS Lambda enhances event processing with provisioned mode for SQS"
)
FULL_PROCESSOR = Limit(1_769, "MB", "Lambda Developer Guide, Configure Lambda function memory")
IN_FLIGHT = Limit(120_000, "messages", _QUEUES, "approximate; by a support case")
BATCH = Limit(10, "messages", "SQS Developer Guide, Amazon SQS message quotas")

LIMITS = {
    "DynamoDB writes, a table or index": TABLE_WRITES,
    "DynamoDB reads, a table or index": TABLE_READS,
    "DynamoDB writes, a new table": NEW_TABLE_WRITES,
    "DynamoDB reads, a new table": NEW_TABLE_READS,
    "DynamoDB writes, a partition or item": PARTITION_WRITES,
    "DynamoDB reads, a partition": PARTITION_READS,
    "Lambda at once, an account in a region": CONCURRENCY,
    "SQS to Lambda, at first": MAPPING_START,
    "SQS to Lambda, growth": MAPPING_GROWTH,
    "SQS to Lambda, MaximumConcurrency": MAPPING_CONCURRENCY,
    "SQS to Lambda, without MaximumConcurrency": MAPPING_UNCAPPED,
    "SQS to Lambda, provisioned mode": PROVISIONED_CONCURRENCY,
    "Lambda, memory of a whole processor": FULL_PROCESSOR,
    "SQS in flight, a standard queue": IN_FLIGHT,
    "SQS batch": BATCH,
}
