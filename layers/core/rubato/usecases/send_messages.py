"""Put messages on the run queue where somebody makes a loss good: a queue that is down fails nobody."""

from collections.abc import Sequence
from typing import Any

from rubato.domain.messages import Message
from rubato.ports import World


class NotSent(Exception):
    """A message that nobody makes good could not be put on the queue; the one in hand must come back instead."""


def send_messages(world: World, messages: Sequence[Message], warning: str, **fields: Any) -> bool:
    """Send them; gives whether all went out. If not, `warning` is logged with `fields`, and the caller goes on."""
    try:
        unsent = world.queue.send(messages, world.clock.now())
    except Exception as error:  # noqa: BLE001 - what was written stands, and its own lease or second look covers it
        world.telemetry.warn(warning, error=type(error).__name__, **fields)
        return False
    if unsent:
        world.telemetry.warn(warning, **fields)
    return not unsent
