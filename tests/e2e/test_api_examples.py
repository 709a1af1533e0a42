"""The examples of docs/api.md against the local stack: API Gateway, the authorizer, DynamoDB, and the real clock."""

import uuid
from collections.abc import Mapping
from dataclasses import replace

from tests import examples
from tests.e2e.conftest import LocalStack
from tests.e2e.watchers import listening

_EXAMPLE_COM = "https://example.com"
_BOUND_TO = '"example.com"'


def test_every_example_gives_what_it_shows(stack: LocalStack) -> None:
    with listening() as target:

        def send(method: str, path: str, headers: Mapping[str, str], body: str) -> tuple[int, str]:
            kind = {"content-type": "application/json"} if body else {}
            # A string, not `json=`: the headers and the body go out as the document shows them.
            answer = stack.client.request(method, path, headers={**kind, **headers}, content=body or None)
            return answer.status_code, answer.text

        # Nothing outside of this machine is called.
        here = [
            replace(each, body=_at(each.body, target.url), answer=_at(each.answer, target.url))
            for each in examples.read(examples.API_MD.read_text())
        ]
        examples.play(here, send, {"unique": uuid.uuid4().hex})


def _at(text: str, url: str) -> str:
    return text.replace(_EXAMPLE_COM, url).replace(_BOUND_TO, f'"{url}"')
