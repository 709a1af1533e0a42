"""docs/api.md tells the truth: its examples run, its table is the catalog."""

import json
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import parse_qsl

import pytest

from rubato.domain.access import ALL_SCOPES
from rubato.domain.hints import ActorKind
from rubato.interface import routes, synthetic
from rubato.interface.catalog import CATALOG
from tests import examples
from tests.unit.clients import Client
from tests.worlds import ANNE, MemoryWorld, a_key

TEXT = examples.API_MD.read_text()
EXAMPLES = list(examples.read(TEXT))


def test_every_example_gives_what_it_shows() -> None:
    world = MemoryWorld()
    key, _ = a_key(world, "acme", label="own", kind=ActorKind.HUMAN, scopes=ALL_SCOPES)
    client = Client(world, replace(ANNE, key_id=key.key_id))

    def send(method: str, path: str, headers: Mapping[str, str], body: str) -> tuple[int, str]:
        route, _, query = path.partition("?")
        answer = client(method, route, raw=body, query=dict(parse_qsl(query)), headers=dict(headers))
        world.clock.instant += 1
        return answer.status, answer.text

    examples.play(EXAMPLES, send, {"unique": "8e03978e"})


@pytest.mark.parametrize("action", CATALOG, ids=lambda action: action.name)
def test_every_action_has_an_example_that_succeeds(action: object) -> None:
    shown = [
        found
        for example in EXAMPLES
        if example.status < 400
        for found, _ in routes.matching(example.path.partition("?")[0])
        if found.method == example.method
    ]
    assert action in shown


def test_the_open_pages_have_examples() -> None:
    assert {"/health", "/openapi.json", "/docs"} <= {example.path for example in EXAMPLES}


def test_the_table_is_the_catalog() -> None:
    rows = [line for line in TEXT.splitlines() if line.startswith(("| GET", "| POST", "| PATCH", "| DELETE", "| PUT"))]
    expected = [
        f"| {each.method} | {each.path} | {each.name} | {each.scope or 'any key'} | {each.summary} |"
        for each in CATALOG
    ]
    assert rows[: len(expected)] == expected
    others = [row.split(" | ")[1] for row in rows[len(expected) :]]
    assert others == ["/health", "/openapi.json", "/docs", *synthetic.TARGETS]


WRONG = [
    ('200\n{"version": 2}', "answer.version is 1, not 2"),
    ('200\n{"nope": 2}', "answer.nope is '<missing>'"),
    ('201\n{"version": 1}', "gave 200"),
    ('200\n{"items": [{"a": 2}]}', "answer.items[0] is not there"),
    ('200\n{"version": "{known}"}', "answer.version is 1, not 5"),
    ("200\nother text", "does not say"),
    ("200", "gave a body"),
]


@pytest.mark.parametrize(("shown", "complaint"), WRONG)
def test_an_example_that_is_not_true_is_found(shown: str, complaint: str) -> None:
    (example,) = examples.read(f"```http\nGET /jobs\n\n{shown}\n```\n")

    def send(method: str, path: str, headers: Mapping[str, str], body: str) -> tuple[int, str]:
        return 200, json.dumps({"version": 1, "items": [{"a": 1, "b": 1}]})

    known: dict[str, str] = {"known": 5}  # type: ignore[dict-item]
    with pytest.raises(AssertionError) as caught:
        examples.play([example], send, known)
    assert complaint in str(caught.value)
