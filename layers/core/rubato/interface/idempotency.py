"""The header Idempotency-Key: the same request of the same API key gives the same answer, and creates once."""

import re
from typing import Any

from rubato.domain.access import Caller
from rubato.domain.errors import Invalid
from rubato.domain.idempotency import digest_of
from rubato.interface.action import Action
from rubato.interface.wire import Output, Wire
from rubato.ports import World
from rubato.usecases.create_once import create_once

HEADER = "Idempotency-Key"
_KEY = re.compile(r"[\x20-\x7e]{1,255}")


class Answered(Output):
    """An answer that may have been given before."""

    body: dict[str, Any]

    def to_json(self) -> dict[str, Any]:
        """As it was given."""
        return self.body


def perform_once(world: World, caller: Caller, action: Action, event: dict[str, Any], given: Wire) -> Output:
    """Run a creating action, under its Idempotency-Key if the request has one. Raises Invalid and Conflict for that."""
    key = _key_in(event)
    if key is None:
        return _run(world, caller, action, given)
    asked = given.model_dump(mode="json", by_alias=True, exclude_unset=True)
    places = [asked.pop(name) for name in action.pattern.groupindex]
    answer = create_once(
        world,
        digest_of([caller.tenant_id, caller.key_id, action.name, places, key]),
        digest_of(asked),
        create=lambda: _run(world, caller, action, given).to_json(),
        public=lambda told: _without_secrets(action, told),
    )
    return Answered(body=answer)


def _run(world: World, caller: Caller, action: Action, given: Wire) -> Output:
    output = action.run(world, caller, given)
    assert output is not None, f"{action.name} must tell what it created"
    return output


def _key_in(event: dict[str, Any]) -> str | None:
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    repeated = {name.lower(): values for name, values in (event.get("multiValueHeaders") or {}).items()}
    key = headers.get(HEADER.lower())
    if key is None:
        return None
    if len(repeated.get(HEADER.lower()) or ()) > 1:
        raise Invalid.field(HEADER, "given more than once")
    if not _KEY.fullmatch(key.strip()):
        raise Invalid.field(HEADER, "must be 1 to 255 printable ASCII characters, such as a UUID")
    return str(key.strip())


def _without_secrets(action: Action, answer: dict[str, Any]) -> dict[str, Any]:
    told_once = action.gives.told_once if action.gives is not None else frozenset()
    return {name: None if name in told_once else value for name, value in answer.items()}
