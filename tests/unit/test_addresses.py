"""Which addresses may be called, in whatever spelling."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rubato.domain.errors import Invalid
from rubato.domain.targets import (
    Refused,
    check_address,
    check_url,
    parse_cidrs,
)

EVERYTHING = parse_cidrs("0.0.0.0/0, ::/0")
LOCAL = parse_cidrs("127.0.0.0/8")
METADATA = ("169.254.169.254", "169.254.170.2", "fd00:ec2::254")

REFUSED_RANGES = tuple(
    ip_network(each)
    for each in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24"),
        *("203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
        *("::/128", "::1/128", "::/96", "::ffff:0:0/96", "::ffff:0:0:0/96", "64:ff9b:1::/48", "100::/64"),
        *("2001::/32", "2001:2::/48", "2001:10::/28", "2001:20::/28", "2001:db8::/32", "2002::/16", "3ffe::/16"),
        *("3fff::/20", "5f00::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8"),
    )
)
REFUSED_V4 = tuple(each for each in REFUSED_RANGES if isinstance(each, IPv4Network))
REFUSED_V6 = tuple(each for each in REFUSED_RANGES if isinstance(each, IPv6Network))


def within(network: IPv4Network | IPv6Network) -> st.SearchStrategy[int]:
    return st.integers(int(network.network_address), int(network.broadcast_address))


refused_v4 = st.sampled_from(REFUSED_V4).flatmap(within).map(IPv4Address)
refused_v6 = st.sampled_from(REFUSED_V6).flatmap(within).map(IPv6Address)


def v6_forms(address: IPv4Address) -> list[IPv6Address]:
    bits = int(address)
    return [
        IPv6Address(bits),
        IPv6Address(0xFFFF << 32 | bits),
        IPv6Address(0xFFFF << 48 | bits),
        IPv6Address(int(IPv6Address("64:ff9b::")) | bits),
        IPv6Address(int(IPv6Address("64:ff9b:1::")) | bits),
        IPv6Address(int(IPv6Address("64:ff9b:1::")) | (bits >> 16) << 64 | (bits & 0xFFFF) << 40),
        IPv6Address(0x2002 << 112 | bits << 80),
        IPv6Address(0x20010000 << 96 | bits << 64),
        IPv6Address(0x20010000 << 96 | int(IPv4Address("8.8.8.8")) << 64 | ~bits & 0xFFFFFFFF),
    ]


def spellings(address: IPv4Address) -> list[str]:
    bits = int(address)
    a, b, c, d = address.packed
    return [
        str(address),
        f"{address}.",
        str(bits),
        hex(bits),
        hex(bits).upper(),
        f"0{bits:o}",
        f"{a}.{bits & 0xFFFFFF}",
        f"{a}.{b}.{bits & 0xFFFF}",
        f"0x{a:x}.0x{b:x}.0x{c:x}.0x{d:x}",
        f"0{a:o}.0{b:o}.0{c:o}.0{d:o}",
        f"0{a:o}.{b}.0x{bits & 0xFFFF:x}",
        *(f"[{form.exploded}]" for form in v6_forms(address)),
    ]


@given(refused_v4)
def test_no_spelling_of_a_refused_ipv4_address_can_be_saved(address: IPv4Address) -> None:
    for host in spellings(address):
        with pytest.raises(Refused):
            check_url(f"http://{host}/")


@given(refused_v4)
def test_every_ipv6_form_of_a_refused_ipv4_address_is_refused(address: IPv4Address) -> None:
    assert check_address(address)
    for form in v6_forms(address):
        assert check_address(form), form


@given(refused_v6)
def test_every_refused_ipv6_address_is_refused_with_or_without_a_zone(address: IPv6Address) -> None:
    assert check_address(address)
    assert check_address(f"{address}%eth0")
    for text in (address.exploded, address.compressed, address.compressed.upper()):
        with pytest.raises(Refused):
            check_url(f"https://[{text}]:8443/")


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
def test_nothing_is_accepted_that_this_python_calls_not_global(address: IPv4Address | IPv6Address) -> None:
    if not address.is_global or address.is_multicast:
        assert check_address(address)


@pytest.mark.parametrize(
    "address",
    [
        *("1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255"),
        *("128.0.0.0", "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.0.1.0", "198.17.255.255"),
        *("198.20.0.0", "223.255.255.255", "2606:4700:4700::1111", "2001:4860:4860::8888", "2a00::1", "2000::1"),
        *("64:ff9b::8.8.8.8",),
    ],
)
def test_public_addresses_are_accepted_right_up_to_the_borders(address: str) -> None:
    assert check_address(address) is None


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("0.0.0.0", "unspecified"),
        ("127.0.0.1", "loopback"),
        ("::1", "loopback"),
        ("10.1.2.3", "private"),
        ("100.64.0.1", "carrier-grade NAT"),
        ("169.254.1.1", "link-local"),
        ("fe80::1%eth0", "link-local"),
        ("192.0.2.1", "documentation"),
        ("2001:db8::1", "documentation"),
        ("198.18.0.1", "benchmarking"),
        ("224.0.0.1", "multicast"),
        ("ff02::1", "multicast"),
        ("fd12::1", "unique-local"),
        ("::ffff:8.8.8.8", "IPv4-mapped"),
        ("::8.8.8.8", "IPv4-compatible"),
        ("64:ff9b::10.0.0.1", "private"),
        ("64:ff9b:1::8.8.8.8", "IPv4-translated"),
        ("2002:808:808::1", "6to4"),
        ("2001:0:808:808::1", "Teredo"),
        ("255.255.255.255", "reserved"),
        ("4000::1", "reserved"),
        ("169.254.169.254", "metadata"),
        ("64:ff9b::169.254.169.254", "metadata"),
        ("no address", "not an IP address"),
    ],
)
def test_a_refusal_names_its_reason(address: str, reason: str) -> None:
    assert check_address(address) == reason


def test_an_opened_range_opens_exactly_itself() -> None:
    allowed = parse_cidrs("127.0.0.1/32,fd12::/64,::1")

    assert check_address("127.0.0.1", allowed) is None
    assert check_address("::1", allowed) is None
    assert check_address("fd12::5", allowed) is None
    assert check_address("127.0.0.2", allowed) == "loopback"
    assert check_address("fd12:0:0:1::5", allowed) == "unique-local"
    assert check_address("::ffff:127.0.0.1", allowed) == "IPv4-mapped"


def test_opening_a_translated_form_does_not_open_the_address_inside() -> None:
    assert check_address("::ffff:10.0.0.1", parse_cidrs("::/0")) == "private"
    assert check_address("::ffff:10.0.0.1", parse_cidrs("::/0,10.0.0.0/8")) is None


@pytest.mark.parametrize("address", METADATA)
def test_nothing_opens_the_metadata_addresses(address: str) -> None:
    plain = ip_address(address)
    exact = parse_cidrs(address)

    for form in (plain, *(v6_forms(plain) if isinstance(plain, IPv4Address) else [])):
        assert check_address(form, EVERYTHING) == "metadata"
        assert check_address(form, exact) == "metadata"
        assert check_address(f"{form}%1", EVERYTHING) == "metadata"


@given(st.sampled_from(METADATA[:2]).map(IPv4Address))
def test_no_spelling_of_a_metadata_address_can_be_saved_even_when_everything_is_open(address: IPv4Address) -> None:
    for host in spellings(address):
        with pytest.raises(Refused):
            check_url(f"http://{host}/", EVERYTHING)


@pytest.mark.parametrize(
    ("text", "count"), [("", 0), (" ", 0), ("127.0.0.1/32", 1), ("10.0.0.0/8, fd00::/8 ,", 2), ("127.0.0.1", 1)]
)
def test_the_parameter_is_a_comma_separated_list_of_ranges(text: str, count: int) -> None:
    assert len(parse_cidrs(text)) == count


@pytest.mark.parametrize("text", ["10.0.0.1/8", "10.0.0.0/33", "localhost", "10.0.0.0/8;fd00::/8", "*"])
def test_a_mistyped_range_is_an_error_rather_than_nothing(text: str) -> None:
    with pytest.raises(Invalid, match="AllowedTargetCidrs"):
        parse_cidrs(text)
