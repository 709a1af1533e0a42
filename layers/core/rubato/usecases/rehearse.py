"""A world in which steering goes as it would, and leaves no trace: what a dry run works in."""

from collections.abc import Sequence
from typing import Any, cast

from rubato.domain.audit import Event
from rubato.domain.endpoint import Endpoint, EndpointState
from rubato.domain.messages import Message
from rubato.ports import Endpoints, World


def rehearsal(world: World) -> World:
    """The world for reading; what is written to endpoints is seen here alone, and nothing is sent."""
    return cast(World, _Rehearsal(world))


class _Rehearsal:
    def __init__(self, world: World) -> None:
        self._world = world
        self.endpoints = _Overlay(world.endpoints)
        self.queue = _Nowhere()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._world, name)


class _Nowhere:
    """Implements ports.RunQueue."""

    def send(self, messages: Sequence[Message], now: int) -> list[Message]:  # noqa: ARG002 - the port's signature
        """As if all went out."""
        return []


class _Overlay:
    """Endpoints as stored, over them what was written since; as steering needs them."""

    def __init__(self, stored: Endpoints) -> None:
        self._stored = stored
        self._written: dict[str, Endpoint] = {}

    def load(self, endpoint_id: str) -> Endpoint | None:
        return self._written.get(endpoint_id) or self._stored.load(endpoint_id)

    def named(self, job_id: str, names: Sequence[str]) -> dict[str, str]:
        return self._stored.named(job_id, names)

    def save(self, before: Endpoint, after: Endpoint, *_events: Event) -> Endpoint:
        self._written[after.id] = after.with_state(version=before.state.version + 1)
        return self._written[after.id]

    def save_state(self, endpoint_id: str, _before: EndpointState, _after: EndpointState) -> EndpointState:
        raise AssertionError(f"steering {endpoint_id} wrote past the rehearsal")
