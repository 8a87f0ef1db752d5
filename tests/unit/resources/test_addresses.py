"""Refused addresses are refused in every spelling; private networks are let through."""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from krkn_grpc.resources.addresses import AddressRules, spelled_addresses

DEFAULT = AddressRules()
LOCAL = AddressRules((IPv4Network("127.0.0.0/8"), IPv6Network("::1/128")))


@pytest.mark.parametrize(
    ("address", "word"),
    [
        ("127.0.0.1", "Loopback"),
        ("127.255.255.254", "Loopback"),
        ("::1", "Loopback"),
        ("169.254.1.1", "Link-local"),
        ("fe80::1", "Link-local"),
        ("fe80::1%eth0", "Link-local"),
        ("febf::1", "Link-local"),
        ("0.0.0.0", "unspecified"),
        ("0.1.2.3", "unspecified"),
        ("::", "unspecified"),
        ("224.0.0.1", "Multicast"),
        ("239.255.255.255", "Multicast"),
        ("255.255.255.255", "Multicast"),
        ("ff02::1", "Multicast"),
        ("169.254.169.254", "metadata"),
        ("169.254.170.2", "metadata"),
        ("100.100.100.200", "metadata"),
        ("192.0.0.192", "metadata"),
        ("168.63.129.16", "metadata"),
        ("fd00:ec2::254", "metadata"),
        ("fd20:ce::254", "metadata"),
        ("fd00:42::42", "metadata"),
    ],
)
def test_refused_by_default(address: str, word: str) -> None:
    assert word in (DEFAULT.refusal(address) or "")
    assert word in (DEFAULT.refusal(ip_address(address)) or "")


@pytest.mark.parametrize(
    "address",
    ["10.0.0.1", "172.16.0.1", "192.168.49.2", "100.64.0.1", "8.8.8.8", "192.0.0.191", "240.0.0.1",
     "fd12::1", "2001:4860::1", "64:ff9b::808:808", "64:ff9b:1::a00:1", "64:ff9b:1:a00:0:100::",
     "2002:0a00:0001::1", "::ffff:10.0.0.1"],
)  # fmt: skip
def test_clusters_live_there(address: str) -> None:
    assert DEFAULT.refusal(address) is None
    assert DEFAULT.check_literal(address) is None


@pytest.mark.parametrize(
    "spelling",
    [
        "127.0.0.1.", "127.1", "127.0.1", "2130706433", "017700000001", "0x7f000001", "0x7F.1",
        "0177.0.0.1", "0177.0x0.0.1", "127.000.000.001", "0127.0.0.1", "00000177.1",
        "\uff11\uff12\uff17.\uff10.\uff10.\uff11", "127\u30020\u30020\u30021",
        "\u2460\u2461\u2466.0.0.1", " 127.0.0.1 ", "[127.0.0.1]",
        "::1", "[::1]", "0:0:0:0:0:0:0:1", "::0001", "[0000::1%25lo]", "::1%lo",
        "::ffff:127.0.0.1", "::FFFF:7F00:1", "[::ffff:7f00:0001]", "::ffff:127.0.0.1%1",
        "::127.0.0.1", "::7f00:1", "::ffff:0:127.0.0.1", "64:ff9b::127.0.0.1", "64:ff9b::7f00:1",
        "64:ff9b:1::7f00:1", "64:ff9b:1:7f00:0:100::", "2002:7f00:1::", "2002:7f00:0001:1::1",
        "2001:0:7f00:1::", "2001:0:a00:1::80ff:fffe", "2001:db8::5efe:7f00:1",
        "2001:db8::200:5efe:127.0.0.1",
    ],
)  # fmt: skip
def test_loopback_in_every_spelling(spelling: str) -> None:
    assert "Loopback" in (DEFAULT.refusal(spelling) or "")
    assert "Loopback" in (DEFAULT.check_literal(spelling) or "")
    assert LOCAL.check_literal(spelling) is None or "x7f" not in spelling


@pytest.mark.parametrize(
    "spelling",
    ["169.254.169.254", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "169.254.43518",
     "0xA9.0xFE.0xA9.0xFE", "::ffff:169.254.169.254", "[::ffff:a9fe:a9fe]", "64:ff9b::a9fe:a9fe",
     "2002:a9fe:a9fe::", "169.254.169.254.", "0169.254.169.254"],
)  # fmt: skip
def test_metadata_in_every_spelling(spelling: str) -> None:
    assert "metadata" in (DEFAULT.refusal(spelling) or "")
    assert "metadata" in (DEFAULT.check_literal(spelling) or "")
    assert "metadata" in (LOCAL.check_literal(spelling) or "")


@pytest.mark.parametrize(
    "host",
    ["localhost", "LocalHost", "localhost.", "localhost.localdomain", "api.localhost",
     "a.b.localhost.",
     "ip6-localhost", "ip6-loopback", "localhost4",
     "\uff4c\uff4f\uff43\uff41\uff4c\uff48\uff4f\uff53\uff54"],
)  # fmt: skip
def test_names_of_this_machine(host: str) -> None:
    assert "Loopback" in (DEFAULT.check_literal(host) or "")
    assert LOCAL.check_literal(host) is None


@pytest.mark.parametrize(
    "host", ["metadata.google.internal", "METADATA.GOOGLE.INTERNAL.", "metadata"]
)
def test_names_of_metadata_services(host: str) -> None:
    assert "metadata" in (DEFAULT.check_literal(host) or "")
    assert "metadata" in (LOCAL.check_literal(host) or "")
    allowed = AddressRules((IPv4Network("169.254.169.254/32"),))
    assert allowed.check_literal(host) is None


@pytest.mark.parametrize(
    "host",
    ["api.example.com", "xn--bcher-kva.example", "localhost.example.com", "notlocalhost",
     "127.0.0.1.nip.io", "kubernetes.default.svc", "1.example.com", "a-1.b2", "0x7f.example"],
)  # fmt: skip
def test_other_names_wait_for_their_addresses(host: str) -> None:
    assert DEFAULT.check_literal(host) is None


@pytest.mark.parametrize(
    "host", ["999.1.1.1", "1.2.3.4.5", "0xg.1.2.3", "127.0.0.256", "4294967296", "[::g]", "1:2"]
)
def test_what_looks_like_an_address_and_is_none(host: str) -> None:
    refused = DEFAULT.check_literal(host)
    numeric = host != "0xg.1.2.3" or refused is not None
    assert numeric
    assert refused == "The host looks like a numeric address, but is none."


def test_allowed_networks_are_let_through() -> None:
    for address in ("127.0.0.1", "::1", "::ffff:127.0.0.1", "0x7f.1", "2130706433"):
        assert LOCAL.refusal(address) is None
    assert LOCAL.refusal("0.0.0.0") is not None
    one = AddressRules((IPv4Network("169.254.169.254/32"),))
    assert one.refusal("169.254.169.254") is None
    assert one.refusal("169.254.169.253") is not None


@given(st.ip_addresses(v=4))
def test_an_ipv4_address_is_judged_alike_in_all_spellings(address: IPv4Address) -> None:
    expected = DEFAULT.refusal(address)
    a, b, c, d = address.packed
    value = int(address)
    spellings = [
        str(address), str(value), hex(value), f"0{value:o}", f"{a}.{b * 65536 + c * 256 + d}",
        f"0x{a:x}.{b}.0{c:o}.{d}", f"{a}.{b}.{c * 256 + d}",
    ]  # fmt: skip
    for spelling in spellings:
        assert address in set(spelled_addresses(spelling)), spelling
        if expected is not None:
            assert DEFAULT.refusal(spelling) is not None, spelling
    mapped = IPv6Address(0xFFFF << 32 | value)
    assert DEFAULT.refusal(mapped) == expected
    for prefix in (0x64FF9B << 96, 0x2002 << 112 | value << 80):
        if expected is not None:
            carried = prefix | value if prefix == 0x64FF9B << 96 else prefix
            assert DEFAULT.refusal(IPv6Address(carried)) is not None


@given(st.text())
def test_any_text_is_judged_without_an_error(host: str) -> None:
    DEFAULT.check_literal(host)
    DEFAULT.refusal(host)
