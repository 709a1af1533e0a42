"""Opening the tables: one client for all of them."""

from collections.abc import Mapping
from typing import Any

from pynamodb.connection import Connection
from pynamodb.connection.base import MetaTable
from pynamodb.models import Model

from rubato.adapters.dynamodb.analyses import AnalysisItem
from rubato.adapters.dynamodb.identity_items import AgentItem, AgentNameItem, KeyItem
from rubato.adapters.dynamodb.run_items import RunItem
from rubato.adapters.dynamodb.tables import (
    EndpointsItem,
    EventItem,
    JobItem,
    LedgerItem,
    RequestItem,
    UsageItem,
)

_CONNECT_TIMEOUT_S = 2
_READ_TIMEOUT_S = 5
_CONNECTIONS = 32
_ATTEMPTS = 4

MODELS: dict[str, type[Model]] = {  # the one that describes the table
    "jobs": JobItem,
    "rules": LedgerItem,
    "endpoints": EndpointsItem,
    "runs": RunItem,
    "keys": KeyItem,
    "audit": EventItem,
    "usage": UsageItem,
    "idempotency": RequestItem,
    "analyses": AnalysisItem,
}
_BESIDE: dict[str, tuple[type[Model], ...]] = {"keys": (AgentItem, AgentNameItem)}


def open_tables(names: Mapping[str, str], region: str | None, session: Any = None, **credentials: Any) -> Connection:
    """Bind the models to the tables named, over one connection, and give it (for transactions).

    `credentials` (host, aws_access_key_id, aws_secret_access_key) are for those who do not use the environment's; a
    botocore `session` that is open already is for those who do.

    NOTE: pynamodb would make a session and a client for every table; one shared client saves their cold starts. It is
    made here, in the opening thread, because botocore does not make clients safely in several threads at once.
    """
    shared = Connection(
        region=region,
        connect_timeout_seconds=_CONNECT_TIMEOUT_S,
        read_timeout_seconds=_READ_TIMEOUT_S,
        max_pool_connections=_CONNECTIONS,
        retry_configuration={"total_max_attempts": _ATTEMPTS, "mode": "standard"},
        **credentials,
    )
    if session is not None and not credentials:
        # NOTE: where pynamodb keeps its own, for the opening thread. A session reads the list of all hosts and
        # registers some hundred hooks: CPU time of a cold start that need not be spent twice.
        shared._local.session = session
    for name, table in names.items():
        opened = _bind(MODELS[name], table, region, shared)
        shared.add_meta_table(opened)
        for model in _BESIDE.get(name, ()):
            _bind(model, table, region, shared)
    _ = shared.client
    return shared


def _bind(model: Any, table: str, region: str | None, shared: Connection) -> MetaTable:
    """Gives what the model knows of its table."""
    model.Meta.table_name, model.Meta.region = table, region
    model._connection = None
    opened = model._get_connection()
    described: MetaTable = opened.connection._tables[table]
    opened.connection = shared
    return described
