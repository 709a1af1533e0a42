"""The tables of template.yaml: made in an emulated DynamoDB, and described for counting.

The template stays the only place that says what they look like.
"""

from functools import cache
from pathlib import Path
from typing import Any

from cli.bench.units import Index, Table

TEMPLATE = Path(__file__).parent.parent.parent / "template.yaml"
LOGICAL = {
    "jobs": "JobsTable",
    "rules": "RulesTable",
    "endpoints": "EndpointsTable",
    "runs": "RunsTable",
    "keys": "KeysTable",
    "audit": "AuditTable",
    "usage": "UsageTable",
    "idempotency": "IdempotencyTable",
    "analyses": "AnalysesTable",
}
_DESCRIBED = ("KeySchema", "AttributeDefinitions", "GlobalSecondaryIndexes", "BillingMode")


def create_tables(client: Any) -> dict[str, str]:
    """Create them all with a boto3 DynamoDB client; gives the table name for each part of the store."""
    for name in LOGICAL:
        wanted = _properties(name)
        client.create_table(TableName=name, **{key: wanted[key] for key in _DESCRIBED if key in wanted})
    return {name: name for name in LOGICAL}


def describe_tables() -> dict[str, Table]:
    """Keys and indexes by table name, as `create_tables` names them."""
    return {name: _describe(name, _properties(name)) for name in LOGICAL}


def _properties(name: str) -> dict[str, Any]:
    properties: dict[str, Any] = _resources()[LOGICAL[name]]["Properties"]
    return properties


@cache
def _resources() -> dict[str, Any]:
    # NOTE: a tool of the development environment, which other commands do without.
    import yaml

    class Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
        """Reads CloudFormation's short forms as what they hold: none of them says what a table looks like."""

    Loader.add_multi_constructor("!", lambda loader, _tag, node: _plain(loader, node))
    resources: dict[str, Any] = yaml.load(TEMPLATE.read_text(), Loader)["Resources"]  # noqa: S506 - it is a safe one
    return resources


def _plain(loader: Any, node: Any) -> Any:
    kinds = {"scalar": "construct_scalar", "sequence": "construct_sequence", "mapping": "construct_mapping"}
    return getattr(loader, kinds[node.id])(node)


def _describe(name: str, properties: dict[str, Any]) -> Table:
    indexes = tuple(_index(plain) for plain in properties.get("GlobalSecondaryIndexes", ()))
    return Table(name, _key(properties["KeySchema"]), indexes)


def _index(plain: dict[str, Any]) -> Index:
    projection = plain["Projection"]
    everything = projection["ProjectionType"] == "ALL"
    projected = None if everything else frozenset(map(str, projection.get("NonKeyAttributes", ())))
    return Index(str(plain["IndexName"]), _key(plain["KeySchema"]), projected)


def _key(schema: list[dict[str, str]]) -> tuple[str, ...]:
    return tuple(str(each["AttributeName"]) for each in schema)
