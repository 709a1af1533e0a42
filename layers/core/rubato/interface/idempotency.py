"""Idempotency keys: the same request of the same API key gives the same answer, and creates once."""

import re
from collections.abc import Callable
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


def once(
    world: World, caller: Caller, action: Action, key: str, given: Wire, run: Callable[[], Output | None]
) -> Output:
    """Run a creating action under its idempotency key. Raises Conflict for that."""
    asked = given.model_dump(mode="json", by_alias=True, exclude_unset=True)
    places = [asked.pop(name) for name in action.pattern.groupindex]
    answer = create_once(
        world,
        digest_of([caller.tenant_id, caller.key_id, action.name, places, key]),
        digest_of(asked),
        create=lambda: _created(action, run()).to_json(),
        public=lambda told: _without_secrets(action, told),
    )
    return Answered(body=answer)


def _created(action: Action, output: Output | None) -> Output:
    assert output is not None, f"{action.name} must tell what it created"
    return output


def key_in(event: dict[str, Any]) -> str | None:
    """The header Idempotency-Key; raises Invalid."""
    headers = {name.lower(): value for name, value in (event.get("headers") or {}).items()}
    repeated = {name.lower(): values for name, values in (event.get("multiValueHeaders") or {}).items()}
    key = headers.get(HEADER.lower())
    if key is None:
        return None
    if len(repeated.get(HEADER.lower()) or ()) > 1:
        raise Invalid.field(HEADER, "given more than once")
    return checked_key(key.strip(), HEADER)


def checked_key(key: Any, field: str) -> str:
    """An idempotency key as it came in `field`; raises Invalid."""
    if not isinstance(key, str) or not _KEY.fullmatch(key):
        raise Invalid.field(field, "must be 1 to 255 printable ASCII characters, such as a UUID")
    return key


def _without_secrets(action: Action, answer: dict[str, Any]) -> dict[str, Any]:
    told_once = action.gives.told_once if action.gives is not None else frozenset()
    return {name: None if name in told_once else value for name, value in answer.items()}
