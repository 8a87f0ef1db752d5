"""URLs that mean the same compare alike, and no others."""

from ipaddress import IPv6Address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from krkn_grpc.resources.kubeconfig import endpoint, normalise_url


@pytest.mark.parametrize(
    ("given_url", "normal"),
    [
        ("https://api.example.com", "https://api.example.com"),
        ("HTTPS://API.Example.COM", "https://api.example.com"),
        ("https://api.example.com:443", "https://api.example.com"),
        ("https://api.example.com:0443/", "https://api.example.com"),
        ("https://api.example.com:", "https://api.example.com"),
        ("https://api.example.com:6443", "https://api.example.com:6443"),
        ("https://api.example.com:06443", "https://api.example.com:6443"),
        ("https://api.example.com/", "https://api.example.com"),
        ("https://api.example.com///", "https://api.example.com"),
        (" https://api.example.com\n", "https://api.example.com"),
        ("https://api.example.com.", "https://api.example.com"),
        ("https://api.example.com.:443/.", "https://api.example.com"),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("https://BÜCHER.example", "https://xn--bcher-kva.example"),
        ("https://XN--BCHER-KVA.example", "https://xn--bcher-kva.example"),
        ("https://api\u3002example\u3002com", "https://api.example.com"),
        ("https://10.0.0.1:6443", "https://10.0.0.1:6443"),
        ("https://0xa.1:6443", "https://10.0.0.1:6443"),
        ("https://167772161:6443", "https://10.0.0.1:6443"),
        ("https://\uff11\uff10.0.0.1:6443", "https://10.0.0.1:6443"),
        ("https://[FD00:0:0::0:1]:6443", "https://[fd00::1]:6443"),
        ("https://[fd00:0000:0000:0000:0000:0000:0000:0001]:443", "https://[fd00::1]"),
        ("https://[::ffff:10.0.0.1]:6443", "https://10.0.0.1:6443"),
        ("https://[::ffff:a00:1]:6443", "https://10.0.0.1:6443"),
        ("https://[fe80::1%25ETH0]", "https://[fe80::1%25eth0]"),
        ("https://a.example/k8s/clusters/c-1/", "https://a.example/k8s/clusters/c-1"),
        ("https://a.example/%6b8s/%7Eme", "https://a.example/k8s/~me"),
        ("https://a.example/a%2fb", "https://a.example/a%2Fb"),
        ("https://a.example/./a/../b/%2e%2E/c", "https://a.example/c"),
        ("https://a.example/../..", "https://a.example"),
        ("http://a.example:80", "http://a.example"),
    ],
)
def test_spellings(given_url: str, normal: str) -> None:
    assert normalise_url(given_url) == normal


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://a.example", "https://b.example"),
        ("https://a.example", "https://a.example:6443"),
        ("https://a.example", "http://a.example"),
        ("https://a.example/a", "https://a.example/A"),
        ("https://a.example/a", "https://a.example/b"),
        ("https://a.example/a//b", "https://a.example/a/b"),
        ("https://a.example/a%2Fb", "https://a.example/a/b"),
        ("https://[fd00::1]", "https://[fd00::2]"),
    ],
)
def test_different_clusters_stay_different(one: str, other: str) -> None:
    assert normalise_url(one) != normalise_url(other)


url_like = st.builds(
    "{}://{}{}{}{}{}".format,
    st.sampled_from(["https", "HTTPS", "http", "ftp", "x"]),
    st.sampled_from(["", "user@", "u:p@", "@"]),
    st.one_of(
        st.text(max_size=12),
        st.sampled_from(["[::1]", "[FE80::1%25a]", "[::ffff:1.2.3.4]", "[x]", "0x7f.1", "017"]),
        st.sampled_from(["a.", "ß", "İ"]),
        st.ip_addresses().map(str),
    ),
    st.sampled_from(["", ":", ":443", ":0443", ":80", ":99999", ":x"]),
    st.text(st.sampled_from("/.%2eE5aF \t~\u00e9"), max_size=12).map(lambda path: "/" + path),
    st.sampled_from(["", "?", "?a=/", "#", "#/ "]),
)  # fmt: skip


@given(st.one_of(st.text(), url_like))
@example("https://a/%%32e")
@example("https://a/b /")
@example("https:// ./")
def test_normal_form_is_stable(url: str) -> None:
    once = normalise_url(url)
    assert normalise_url(once) == once


@st.composite
def same_urls(draw: st.DrawFn) -> tuple[str, str]:
    """Draw a URL in its normal form, and another spelling of it."""
    label = st.from_regex(r"[a-z]([a-z0-9-]{0,10}[a-z0-9])?", fullmatch=True).filter(
        lambda text: not text.startswith("xn--")
    )
    segment = st.from_regex(r"[A-Za-z0-9_~-]{1,8}", fullmatch=True)
    host = ".".join(draw(st.lists(label, min_size=1, max_size=3)))
    port = draw(st.sampled_from([None, 443, 6443]))
    segments = draw(st.lists(segment, max_size=3))
    normal = f"https://{host}{'' if port in (None, 443) else f':{port}'}"
    normal += "".join(f"/{each}" for each in segments)
    shouted = "".join(draw(st.sampled_from([c, c.upper()])) for c in f"https://{host}")
    escape = st.sampled_from(["{0}", "%{1:02x}", "%{1:02X}"])
    path = "".join(
        draw(st.sampled_from(["/", "/./", "/x/../", "/%2e/"]))
        + "".join(draw(escape).format(character, ord(character)) for character in each)
        for each in segments
    )
    dot = draw(st.sampled_from(["", "."]))
    digits = "" if port is None else f":{draw(st.sampled_from(['', '0']))}{port}"
    return normal, f"{shouted}{dot}{digits}{path}{draw(st.sampled_from(['', '/', '//', '/.']))}"


@given(same_urls())
def test_other_spellings_have_the_same_normal_form(urls: tuple[str, str]) -> None:
    normal, spelling = urls
    assert normalise_url(normal) == normal
    assert normalise_url(spelling) == normal


@given(st.ip_addresses(v=6))
def test_spellings_of_an_ipv6_address(address: IPv6Address) -> None:
    exploded = address.exploded.upper()
    assert normalise_url(f"https://[{exploded}]:443/") == normalise_url(f"https://[{address}]")


def test_endpoint_gives_what_a_connection_needs() -> None:
    behind_path = endpoint("https://Rancher.example.com./k8s/clusters/c-1/")
    assert (behind_path.host, behind_path.port) == ("rancher.example.com", 443)
    assert behind_path.path == "/k8s/clusters/c-1"
    assert behind_path.address is None
    assert behind_path.authority == "rancher.example.com:443"
    assert behind_path.host_header == "rancher.example.com"
    v6 = endpoint("https://[FD00::0:1]:6443")
    assert (v6.host, v6.port, str(v6.address)) == ("fd00::1", 6443, "fd00::1")
    assert v6.host_header == v6.authority == "[fd00::1]:6443"
    assert endpoint("https://[fd00::443]").host_header == "[fd00::443]"
    assert endpoint("https://a.example:1443").host_header == "a.example:1443"
