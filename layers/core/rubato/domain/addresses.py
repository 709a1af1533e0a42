"""Which IP addresses may be called: globally routable ones, and what the deployment opened by name of its range.

The tables are written out instead of asking `ipaddress.is_global`, whose answer changed between Python versions
(192.0.0.0/24, IPv4-mapped forms, 3fff::/20; CVE-2024-4032). Sources: the IANA IPv4 and IPv6 Special-Purpose Address
Registries (RFC 6890 and its successors), RFC 6052 (NAT64), RFC 3056 (6to4), RFC 4380 (Teredo).
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from rubato.domain.errors import Invalid

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
Networks = tuple[Network, ...]

LOOPBACK: Networks = (ip_network("127.0.0.0/8"), ip_network("::1/128"))

# Whoever reaches one of these can take the function's credentials, so no parameter opens them.
METADATA: tuple[Address, ...] = tuple(map(ip_address, ("169.254.169.254", "169.254.170.2", "fd00:ec2::254")))

# The first entry that fits names the reason. In IPv6 only 2000::/3 is unicast of the public internet (RFC 4291,
# IANA), so the last three rows close everything else.
_REFUSED: tuple[tuple[str, Networks], ...] = tuple(
    (reason, tuple(ip_network(each) for each in ranges.split()))
    for reason, ranges in (
        ("unspecified", "0.0.0.0/8 ::/128"),
        ("loopback", "127.0.0.0/8 ::1/128"),
        ("private", "10.0.0.0/8 172.16.0.0/12 192.168.0.0/16"),
        ("carrier-grade NAT", "100.64.0.0/10"),
        ("link-local", "169.254.0.0/16 fe80::/10"),
        ("documentation", "192.0.2.0/24 198.51.100.0/24 203.0.113.0/24 2001:db8::/32 3fff::/20"),
        ("benchmarking", "198.18.0.0/15 2001:2::/48"),
        ("multicast", "224.0.0.0/4 ff00::/8"),
        ("unique-local", "fc00::/7"),
        ("site-local", "fec0::/10"),
        ("IPv4-mapped", "::ffff:0:0/96"),
        ("IPv4-translated", "::ffff:0:0:0/96 64:ff9b:1::/48"),
        ("IPv4-compatible", "::/96"),
        ("Teredo", "2001::/32"),
        ("6to4", "2002::/16 192.88.99.0/24"),
        ("reserved", "192.0.0.0/24 240.0.0.0/4 2001::/23 3ffe::/16"),
        ("reserved", "::/3"),
        ("reserved", "4000::/2"),
        ("reserved", "8000::/1"),
    )
)

# IANA marks the well-known NAT64 prefix globally reachable, and subnets with DNS64 answer with it for every
# IPv4-only name: it is as good as the IPv4 address inside.
_NAT64 = IPv6Network("64:ff9b::/96")

# Where an IPv4 address hides in an IPv6 one: the range, and how far its 32 bits stand from the right.
_EMBEDDED_AT: tuple[tuple[IPv6Network, int], ...] = (
    (IPv6Network("::/96"), 0),
    (IPv6Network("::ffff:0:0/96"), 0),
    (IPv6Network("::ffff:0:0:0/96"), 0),
    (_NAT64, 0),
    (IPv6Network("64:ff9b:1::/48"), 0),
    (IPv6Network("2002::/16"), 80),
    (IPv6Network("2001::/32"), 64),
)
_TEREDO = IPv6Network("2001::/32")
_NAT64_LOCAL = IPv6Network("64:ff9b:1::/48")


def parse_cidrs(text: str) -> Networks:
    """The ranges of the parameter AllowedTargetCidrs: comma separated, empty for none; raises Invalid."""
    return tuple(_parse_cidr(part.strip()) for part in text.split(",") if part.strip())


def check_address(ip: Address | str, allowed: Networks = ()) -> str | None:
    """Why this address must not be called, or None if it may.

    Refused unless globally routable; `allowed` opens ranges, never the metadata addresses. An IPv6 address that
    carries an IPv4 one is judged as both, so a range opened for one doesn't open the other.
    """
    try:
        address = ip_address(str(ip).partition("%")[0])
    except ValueError:
        return "not an IP address"
    forms = (address, *_embedded(address))
    if any(form in METADATA for form in forms):
        return "metadata"
    for form in forms:
        if not any(form in network for network in allowed) and (reason := _refusal(form)):
            return reason
    return None


def opens_loopback(allowed: Networks) -> bool:
    """Whether names such as localhost can lead anywhere at all."""
    return any(opened.overlaps(local) for opened in allowed for local in LOOPBACK if opened.version == local.version)


def _parse_cidr(text: str) -> Network:
    try:
        return ip_network(text)
    except ValueError as error:
        raise Invalid.field("AllowedTargetCidrs", f"{error}; write ranges such as 10.1.0.0/16 or fd12::/64") from error


def _refusal(address: Address) -> str | None:
    if address in _NAT64:
        return None
    return next((reason for reason, ranges in _REFUSED if any(address in each for each in ranges)), None)


def _embedded(address: Address) -> tuple[IPv4Address, ...]:
    """Every IPv4 address that some translator or tunnel may read out of this one."""
    bits = int(address)
    if isinstance(address, IPv4Address) or bits <= 1:  # :: and ::1 lie in ::/96 but carry nothing
        return ()
    found = [bits >> shift & 0xFFFFFFFF for network, shift in _EMBEDDED_AT if address in network]
    if address in _TEREDO:
        found.append(~bits & 0xFFFFFFFF)  # the client's address stands inverted (RFC 4380, section 4)
    if address in _NAT64_LOCAL:
        # A /48 prefix puts the address around the byte 64-71, which stays zero (RFC 6052, section 2.2).
        found.append((bits >> 64 & 0xFFFF) << 16 | bits >> 40 & 0xFFFF)
    return tuple(map(IPv4Address, found))
