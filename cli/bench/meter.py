"""Watching the clients of the adapters: every request to DynamoDB and SQS, and what AWS would charge for it.

Images of items are read before and after each write, through a client that is not watched. So it is exact as long as
nobody else writes the same item at that moment.
"""

import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import ceil
from typing import Any

from cli.bench.sizes import Item, item_bytes
from cli.bench.units import Table, read_units, refused_units, write_units

_TRANSACTION = 2  # prepare and commit; counted for the indexes too, to be on the safe side
_SQS_CHUNK = 64 * 1024
_WRITES = {"PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems"}
Target = tuple[Table, Item]


@dataclass
class Bill:
    """What was charged, and the requests that it was charged for."""

    write_units: float = 0
    read_units: float = 0
    sqs_requests: int = 0
    requests: Counter[str] = field(default_factory=Counter)

    @property
    def calls(self) -> int:
        """Requests of any kind."""
        return sum(self.requests.values())


class Meter:
    """Keeps a bill for each purpose. `peek` is an unwatched boto3 DynamoDB client of the same emulator."""

    def __init__(self, tables: Mapping[str, Table], peek: Any) -> None:
        self.bills: dict[str, Bill] = {}
        self._tables = tables
        self._peek = peek
        self._purpose = "setting up"
        self._lock = threading.Lock()

    def watch(self, client: Any) -> None:
        """Charge for every request of a botocore client from now on."""
        client.meta.events.register("before-parameter-build", self._before)
        client.meta.events.register("after-call", self._after)

    @contextmanager
    def charging(self, purpose: str) -> Iterator[None]:
        """What happens meanwhile, in any thread, goes on the bill of this purpose."""
        previous, self._purpose = self._purpose, purpose
        try:
            yield
        finally:
            self._purpose = previous

    def bill(self, purpose: str) -> Bill:
        """The bill of a purpose so far."""
        return self.bills.setdefault(purpose, Bill())

    def _before(self, params: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        written = self._written(model.name, params) if model.name in _WRITES else []
        context["bench"] = params, [(table, key, self._image(table, key)) for table, key in written]

    def _after(self, parsed: dict[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        params, written = context["bench"]
        refused = "Error" in parsed
        writes = sum(self._charge(table, key, before, refused) for table, key, before in written)
        factor = _TRANSACTION if model.name.startswith("Transact") else 1
        reads = 0 if refused else self._read(model.name, params)
        with self._lock:
            bill = self.bill(self._purpose)
            bill.requests[model.name] += 1
            bill.write_units += writes * factor
            bill.read_units += reads * factor
            if model.service_model.service_name == "sqs":
                bill.sqs_requests += _chunks(params)

    def _charge(self, table: Table, key: Item, before: Item | None, refused: bool) -> int:
        return refused_units(before) if refused else write_units(table, before, self._image(table, key))

    def _written(self, operation: str, params: dict[str, Any]) -> list[Target]:
        if operation == "TransactWriteItems":
            return [self._target(next(iter(each.values()))) for each in params["TransactItems"]]
        return [self._target(params)]

    def _target(self, params: dict[str, Any]) -> Target:
        table = self._tables[params["TableName"]]
        return table, params["Key"] if "Key" in params else table.key_of(params["Item"])

    def _image(self, table: Table, key: Item) -> Item | None:
        found: Item | None = self._peek.get_item(TableName=table.name, Key=key, ConsistentRead=True).get("Item")
        return found

    def _read(self, operation: str, params: dict[str, Any]) -> float:
        consistent = bool(params.get("ConsistentRead"))
        if operation == "GetItem":
            return self._looked_up(params["TableName"], [params["Key"]], consistent)
        if operation == "BatchGetItem":
            wanted = params["RequestItems"].items()
            return sum(self._looked_up(name, each["Keys"], bool(each.get("ConsistentRead"))) for name, each in wanted)
        return read_units(self._queried(params), consistent=consistent) if operation == "Query" else 0

    def _looked_up(self, name: str, keys: Iterable[Item], consistent: bool) -> float:
        images = (self._image(self._tables[name], key) for key in keys)
        return sum(read_units(item_bytes(image or {}), consistent=consistent) for image in images)

    def _queried(self, params: dict[str, Any]) -> int:
        """Bytes of what the query reads: neither filter nor projection make it cheaper."""
        whole = {name: value for name, value in params.items() if name not in ("FilterExpression", "Select")}
        if "ProjectionExpression" in whole or "FilterExpression" in params:
            whole = _only_key_condition(whole)
        return sum(map(item_bytes, self._peek.query(**whole)["Items"]))


def _only_key_condition(params: dict[str, Any]) -> dict[str, Any]:
    """DynamoDB refuses names and values that no expression uses."""
    kept = {name: value for name, value in params.items() if name != "ProjectionExpression"}
    text = kept["KeyConditionExpression"].replace(",", " ").replace("(", " ").replace(")", " ").split()
    for part in ("ExpressionAttributeNames", "ExpressionAttributeValues"):
        if part in kept:
            kept[part] = {name: value for name, value in kept[part].items() if name in text}
    return {name: value for name, value in kept.items() if value != {}}


def _chunks(params: dict[str, Any]) -> int:
    size = sum(len(entry["MessageBody"].encode()) for entry in params.get("Entries", ()))
    return max(ceil(size / _SQS_CHUNK), 1)
