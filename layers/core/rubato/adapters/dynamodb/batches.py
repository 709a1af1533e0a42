"""Many items of the Endpoints table at once."""

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from pynamodb.exceptions import GetError

from rubato.adapters.dynamodb.tables import EndpointsItem

_BATCH = 100
_PARALLEL = 8
_TURNS = 10
_TURN_S = 0.02


def batch_get(keys: Sequence[tuple[str, str]], latest: bool = False) -> list[EndpointsItem]:
    """Items by (pk, sk), in no order; consistent when asked for the `latest`. Raises GetError under throttling."""

    def get(chunk: Sequence[tuple[str, str]]) -> list[EndpointsItem]:
        return _patiently(chunk, latest)

    chunks = _chunks(keys)
    if len(chunks) <= 1:
        return get(chunks[0]) if chunks else []
    with ThreadPoolExecutor(_PARALLEL) as pool:
        return [item for items in pool.map(get, chunks) for item in items]


def glance(client: Any, keys: Sequence[tuple[str, str]], attributes: str) -> list[dict[str, Any]]:
    """A few attributes (a projection expression) of these items, as DynamoDB spells them; may lag.

    What DynamoDB has no capacity for just now is left out.
    NOTE: past the models, which would cost five times the CPU.
    """
    table = EndpointsItem.Meta.table_name
    found: list[dict[str, Any]] = []
    for chunk in _chunks(keys):
        wanted = {"Keys": [_key(*each) for each in chunk], "ProjectionExpression": attributes}
        found += client.batch_get_item(RequestItems={table: wanted})["Responses"].get(table, ())
    return found


def _patiently(keys: Sequence[tuple[str, str]], latest: bool) -> list[EndpointsItem]:
    """NOTE: Model.batch_get asks again for what DynamoDB had no capacity for at once, and for ever."""
    get_page: Any = EndpointsItem._batch_get_page
    wanted = [_key(*each) for each in set(keys)]
    found: list[EndpointsItem] = []
    for turn in range(_TURNS):
        page, wanted = get_page(wanted, consistent_read=latest, attributes_to_get=None)
        found += [EndpointsItem.from_raw_data(item) for item in page or ()]
        if not wanted:
            return found
        time.sleep(_TURN_S * (turn + 1))
    raise GetError(f"{len(wanted)} items could not be read; the table is throttled")


def _key(pk: str, sk: str) -> dict[str, dict[str, str]]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


def _chunks(keys: Sequence[tuple[str, str]]) -> list[Sequence[tuple[str, str]]]:
    return [keys[start : start + _BATCH] for start in range(0, len(keys), _BATCH)]
