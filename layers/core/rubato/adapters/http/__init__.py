"""HTTP to targets, on h11 and plain sockets.

Why not httpx: the whole exchange must end at one deadline and stay on the address that was checked, both of which
are decided where the socket is opened and read. With h11 that place is ours; httpx and httpcore would only be driven
through a custom backend. It also imports in a fraction of the time (docs/decisions.md has the numbers).
"""

from rubato.adapters.http.outbound import PinnedOutbound

__all__ = ["PinnedOutbound"]
