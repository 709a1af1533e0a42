"""HTTP to targets, on h11 and plain sockets.

Why not httpx: the whole exchange must end at one deadline and stay on the address that was checked, both of which
are decided where the socket is opened and read. With h11 that place is ours; httpx and httpcore would only be driven
through a custom backend. Import on top of botocore, CPU ms: this package 34, httpcore 69, httpx 277.
"""

from rubato.adapters.http.outbound import PinnedOutbound

__all__ = ["PinnedOutbound"]
