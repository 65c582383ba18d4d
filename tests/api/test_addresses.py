import ipaddress
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edged.api.addresses import AddressRules, target_of
from edged.api.fetching import FetchError

NOBODY = AddressRules()

V4 = st.integers(0, 2**32 - 1).map(IPv4Address)
V6 = st.integers(0, 2**128 - 1).map(IPv6Address)
V6_IN_USE = st.integers(0x2000 << 112, (0x4000 << 112) - 1).map(IPv6Address)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "100.100.100.200",
        "127.0.0.1",
        "127.255.255.254",
        "168.63.129.16",
        "169.254.169.254",
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.192",
        "192.0.2.1",
        "192.88.99.1",
        "192.168.0.1",
        "198.19.0.1",
        "198.51.100.7",
        "203.0.113.7",
        "224.0.0.251",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "64:ff9b::127.0.0.1",
        "64:ff9b::10.0.0.1",
        "64:ff9b::a9fe:a9fe",
        "64:ff9b:1::8.8.8.8",
        "100::1",
        "2001::1",
        "2001:db8::1",
        "2002:7f00:1::1",
        "2002:808:808::1",
        "3fff::1",
        "fc00::1",
        "fd00:ec2::254",
        "fe80::1",
        "fe80::1%eth0",
        "2606:4700::1%eth0",
        "fec0::1",
        "ff02::1",
        "5f00::1",
        "localhost",
        "",
    ],
)
def test_what_is_not_of_the_internet_is_refused(address):
    assert not NOBODY.allow(address)


@pytest.mark.parametrize(
    "address",
    [
        "1.1.1.1",
        "8.8.8.8",
        "100.63.255.255",
        "172.32.0.1",
        "193.0.0.1",
        "2606:4700::1111",
        "64:ff9b::8.8.8.8",
    ],
)
def test_what_is_of_the_internet_may_be_reached(address):
    assert NOBODY.allow(address)


def test_what_the_configuration_names_may_be_reached_and_its_neighbour_not():
    rules = AddressRules(["192.168.1.0/24", "127.0.0.1", "fd00::/64"])
    assert [
        a for a in ("192.168.1.20", "127.0.0.1", "fd00::7", "64:ff9b::192.168.1.20") if rules.allow(a)
    ] == [
        "192.168.1.20",
        "127.0.0.1",
        "fd00::7",
        "64:ff9b::192.168.1.20",
    ]
    assert not any(rules.allow(a) for a in ("192.168.2.20", "127.0.0.2", "fd00:0:0:1::7", "::ffff:127.0.0.1"))


@given(V4 | V6 | V6_IN_USE)
def test_nothing_is_reached_that_python_does_not_call_global(address):
    # Our list is the longer one. Behind NAT64 stands another address than Python looks at.
    if NOBODY.allow(str(address)) and address not in ipaddress.ip_network("64:ff9b::/96"):
        assert address.is_global
        assert not address.is_multicast
        assert not address.is_reserved


@given(V4)
def test_an_address_in_an_address_never_opens_what_is_closed_by_itself(inner):
    disguises = [
        IPv6Address(b"\0" * 10 + b"\xff\xff" + inner.packed),
        IPv6Address(b"\0" * 12 + inner.packed),
        IPv6Address(b"\x20\x02" + inner.packed + b"\0" * 10),
        IPv6Address(b"\x20\x01\0\0" + b"\0" * 8 + bytes(byte ^ 0xFF for byte in inner.packed)),
    ]
    assert not any(NOBODY.allow(str(address)) for address in disguises)
    assert NOBODY.allow(str(IPv6Address(b"\0\x64\xff\x9b" + b"\0" * 8 + inner.packed))) == NOBODY.allow(
        str(inner)
    )


@given(V4 | V6, st.integers(0, 128))
def test_a_network_that_is_named_is_open_as_a_whole(address, bits):
    network = ipaddress.ip_network((address, min(bits, address.max_prefixlen)), strict=False)
    rules = AddressRules([str(network)])
    for inside in (network[0], network[-1], address):
        # Behind NAT64 the inner address is what is judged.
        if inside not in ipaddress.ip_network("64:ff9b::/96"):
            assert rules.allow(str(inside))


@pytest.mark.parametrize(
    ("url", "plain"),
    [
        ("http://example.org", "http://example.org/"),
        ("HTTPS://Example.ORG:443/a?b=c#d", "https://example.org/a?b=c"),
        ("http://example.org:8080/ä?q=ü|1", "http://example.org:8080/%C3%A4?q=%C3%BC%7C1"),
        ("http://example.org/a%20b", "http://example.org/a%20b"),
        ("https://müller.example./x", "https://xn--mller-kva.example/x"),
        ("http://[2606:4700:0::1]:81/", "http://[2606:4700::1]:81/"),
        ("http://127。0。0。1/", "http://127.0.0.1/"),
        ("http://0x7f.1/", "http://0x7f.1/"),
        ("http://2130706433/", "http://2130706433/"),
    ],
)
def test_a_url_comes_out_in_its_plain_form(url, plain):
    assert target_of(url).url == plain


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.org",
        "//example.org/",
        "file:///etc/passwd",
        "ftp://example.org/",
        "gopher://example.org/",
        "http://",
        "http:///path",
        "http://user@example.org/",
        "http://user:word@example.org/",
        "http://good.example@evil.example/",
        "http://evil.example\\@good.example/",
        "http://example.org:0/",
        "http://example.org:65536/",
        "http://example.org:x/",
        "http://exa mple.org/",
        "http://example.org/a b",
        "http://example.org/\r\nHost: evil",
        "http://exam\tple.org/",
        "http://example.org/\x00",
        "http://[::1",
        "http://[fe80::1%25eth0]/",
        "http://[fe80::1%eth0]/",
        "http://[example.org]/",
        "http://ex%61mple.org/",
        "http://.example.org/",
        "http://a..b/",
        "http://-example.org/",
        f"http://{'a' * 64}.org/",
        f"http://{'a.' * 130}org/",
        f"http://example.org/{'a' * 2048}",
        "http://exam℀ple.org/",
    ],
)
def test_what_is_no_address_of_a_web_server_is_refused(url):
    with pytest.raises(FetchError):
        target_of(url)


@given(st.text(max_size=60), st.sampled_from(["http://", "https://", "http://h/", "http://[", ""]))
def test_any_text_is_a_target_or_refused_and_a_target_is_stable(text, prefix):
    try:
        target = target_of(prefix + text)
    except FetchError:
        return
    again = target_of(target.url)
    assert again == target
    assert target.url.isascii()
    assert target.url.isprintable()
    assert " " not in target.url


def test_a_redirect_stays_on_its_server():
    target = target_of("http://example.org/a/b?c")
    assert target.redirected("d").url == "http://example.org/a/d"
    assert target.redirected("/e").url == "http://example.org/e"
    assert target.redirected("https://example.org/").url == "https://example.org/"


@pytest.mark.parametrize(
    ("url", "location"),
    [
        ("https://example.org/", "http://example.org/"),
        ("https://example.org/", "https://www.example.org/"),
        ("https://example.org/", "//evil.example/"),
        ("https://example.org/", "https://example.org:8443/"),
        ("http://example.org/", "https://example.org:22/"),
        ("http://example.org:8080/", "https://example.org/"),
        ("https://example.org/", "file:///etc/passwd"),
        ("https://example.org/", "https://user@example.org/"),
        ("https://example.org/", "https://[::1/"),
        ("https://example.org/", "/a\r\nb"),
    ],
)
def test_a_redirect_to_elsewhere_is_refused(url, location):
    with pytest.raises(FetchError):
        target_of(url).redirected(location)
