"""The tables of template.yaml, made in an emulated DynamoDB: the template stays the only place that describes them."""

from pathlib import Path
from typing import Any

from cfnlint.decode import cfn_yaml

TEMPLATE = Path(__file__).parent.parent / "template.yaml"
LOGICAL = {
    "jobs": "JobsTable",
    "endpoints": "EndpointsTable",
    "runs": "RunsTable",
    "keys": "KeysTable",
    "audit": "AuditTable",
    "usage": "UsageTable",
    "idempotency": "IdempotencyTable",
}


def create_tables(client: Any) -> dict[str, str]:
    """Create them all with a boto3 DynamoDB client; gives the table name for each part of the store."""
    resources = cfn_yaml.load(str(TEMPLATE))["Resources"]
    for name, logical in LOGICAL.items():
        wanted = resources[logical]["Properties"]
        described = {
            key: wanted[key]
            for key in ("KeySchema", "AttributeDefinitions", "GlobalSecondaryIndexes", "BillingMode")
            if key in wanted
        }
        client.create_table(TableName=name, **described)
    return {name: name for name in LOGICAL}
