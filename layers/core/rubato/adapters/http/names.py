"""From a name to the addresses that may be called, in bounded time."""

import threading
from collections.abc import Callable, Iterable
from ipaddress import ip_address
from socket import SOCK_STREAM
from typing import Any

from rubato.adapters.http.deadline import Deadline
from rubato.domain.addresses import Address, Networks, check_address
from rubato.domain.targets import Refused, Target

Resolve = Callable[..., Iterable[tuple[Any, ...]]]

# `getaddrinfo` can't be cancelled: a thread whose caller has gone stays until the system's resolver gives up (tens of
# seconds). This bounds how many of them there can be.
_MAX_LOOKUPS = 64


class Names:
    """Looks names up and judges every answer. `resolve` has the signature and the errors of `socket.getaddrinfo`."""

    def __init__(self, resolve: Resolve, allowed: Networks) -> None:
        self._resolve = resolve
        self._allowed = allowed
        self._free = threading.BoundedSemaphore(_MAX_LOOKUPS)

    def addresses(self, target: Target, deadline: Deadline) -> list[Address]:
        """Where to connect, best first.

        Raises Refused when any of the addresses may not be called: a name that mixes public and private ones is
        an attack or a mistake. Raises TimeoutError at the deadline and OSError for a name that leads nowhere.
        """
        found = [target.address] if target.address else self._look_up(target, deadline)
        if not found:
            raise OSError(f"{target.host} has no address")
        for address in found:
            reason = check_address(address, self._allowed)
            if reason:
                raise Refused.field("request.url", f"{target.host} leads to an address that is refused ({reason})")
        return found

    def _look_up(self, target: Target, deadline: Deadline) -> list[Address]:
        if not self._free.acquire(timeout=deadline.left()):
            raise TimeoutError("too many names are being looked up")
        lookup = _Lookup()
        try:
            threading.Thread(target=self._work, args=(target, lookup), name="rubato-lookup", daemon=True).start()
        except RuntimeError as error:  # the process is out of threads
            self._free.release()
            raise OSError(f"no thread to look up {target.host}") from error
        if not lookup.done.wait(deadline.left()):
            raise TimeoutError(f"{target.host} was not resolved in time")
        if lookup.error is not None:
            raise OSError(f"{target.host} can't be resolved: {lookup.error}") from lookup.error
        return lookup.found

    def _work(self, target: Target, lookup: "_Lookup") -> None:
        try:
            # A dict keeps the system's order of preference and drops what appears once per protocol.
            answers = self._resolve(target.host, target.port, type=SOCK_STREAM)
            lookup.found = list(dict.fromkeys(ip_address(answer[4][0].partition("%")[0]) for answer in answers))
        except (OSError, ValueError) as error:
            lookup.error = error
        finally:
            self._free.release()
            lookup.done.set()


class _Lookup:
    """What the thread leaves behind, whether or not anybody still waits."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.found: list[Address] = []
        self.error: Exception | None = None
