"""The tables of template.yaml, made in an emulated DynamoDB: the template stays the only place that describes them."""

from cli.bench.tables import LOGICAL, TEMPLATE, create_tables

__all__ = ["LOGICAL", "TEMPLATE", "create_tables"]
