import pytest

from lakemon_core.domain.errors import DeliveryError
from lakemon_core.web.address import addresses_of, is_private, is_public, read_url


@pytest.mark.parametrize(
    ("url", "scheme", "host", "port", "target"),
    [
        ("https://hooks.example.com", "https", "hooks.example.com", 443, "/"),
        (
            "https://hooks.example.com:8443/a%2Fb/?x=%20&sig=A_-b",
            "https",
            "hooks.example.com",
            8443,
            "/a%2Fb/?x=%20&sig=A_-b",
        ),
        ("http://alertmanager:9093/api", "http", "alertmanager", 9093, "/api"),
        ("https://[2001:db8::1]:9/x#part", "https", "2001:db8::1", 9, "/x"),
        ("https://hooks.example.com?x=1", "https", "hooks.example.com", 443, "/?x=1"),
    ],
)
def test_path_and_query_stay_byte_for_byte(url, scheme, host, port, target):
    place = read_url(url)
    assert (place.scheme, place.host, place.port, place.target) == (scheme, host, port, target)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "hooks.example.com",
        "ftp://hooks.example.com/x",
        "file:///etc/passwd",
        "gopher://x/",
        "https://",
        "https:///x",
        "https://.example.com/",
        "https://user@hooks.example.com/",
        "https://user:pass@hooks.example.com/",
        "https://good.example.com@evil.example.org/",
        "https://hooks.example.com:99999/",
        "https://hooks.example.com:x/",
        "https://[::1",
        "https://a b/",
        "https://a\tb/",
        "https://hooks.example.com/a\r\nX-Evil: 1",
        "https://hooks.example.com\\@evil.example.org/",
        "https://höoks.example.com/",
        "https://hooks.example.com/" + "a" * 5000,
        "https://$(id)/",
        "https://[fe80::1%25eth0]/",
    ],
)
def test_anything_but_a_plain_url_is_refused_without_showing_it(url):
    with pytest.raises(DeliveryError) as caught:
        read_url(url)
    assert caught.value.code == "LM550"
    assert not url or url not in str(caught.value)


def test_a_place_shows_host_and_port_only():
    place = read_url("https://hooks.example.com/services/T0/B0/s3cret")
    assert str(place) == "hooks.example.com:443"
    assert "s3cret" not in repr(place)


PUBLIC = ["93.184.216.34", "8.8.8.8", "2606:2800:220:1:248:1893:25c8:1946"]
NEVER = [
    "0.0.0.0",
    "169.254.169.254",
    "224.0.0.1",
    "255.255.255.255",
    "240.0.0.1",
    "192.88.99.1",
    "::",
    "fe80::1",
    "ff02::1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "2002:7f00:1::",
    "2001:0:7f00:1::",
    "fec0::1",
    "::127.0.0.1",
    "3fff::1",
    "198.18.0.1",
]
PRIVATE = [
    "127.0.0.1",
    "127.255.0.9",
    "10.0.0.1",
    "172.16.5.4",
    "192.168.1.1",
    "100.64.0.1",
    "::1",
    "fd00::1",
    "::ffff:127.0.0.1",
    "::ffff:10.1.2.3",
]


@pytest.mark.parametrize("address", PUBLIC)
def test_addresses_of_the_internet_are_public(address):
    assert (is_public(address), is_private(address)) == (True, False)


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_of_the_own_network_are_private(address):
    assert (is_public(address), is_private(address)) == (False, True)


@pytest.mark.parametrize("address", NEVER)
def test_addresses_of_no_host_and_of_metadata_services_are_neither(address):
    assert (is_public(address), is_private(address)) == (False, False)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.1", "0x7f000001", "2130706433", "0177.0.0.1", "[::1]", "localhost"]
)
def test_every_spelling_of_this_machine_is_refused_until_it_is_allowed(host):
    place = read_url(f"https://{host}/")
    with pytest.raises(DeliveryError, match="allow_private") as caught:
        addresses_of(place, allow_private=False)
    assert caught.value.code == "LM551"
    assert set(addresses_of(place, allow_private=True)) <= {"127.0.0.1", "::1"}


@pytest.mark.parametrize("address", [*NEVER, "169.254.1.1"])
def test_no_permission_opens_metadata_services(address, names):
    names["inside.example.com"] = [[address]]
    with pytest.raises(DeliveryError) as caught:
        addresses_of(read_url("https://inside.example.com/"), allow_private=True)
    assert caught.value.code == "LM551"


def test_of_mixed_addresses_only_the_public_ones_are_used(names):
    names["mixed.example.com"] = [["10.0.0.1", "8.8.8.8", "::1"]]
    assert addresses_of(read_url("https://mixed.example.com/"), allow_private=False) == ["8.8.8.8"]


def test_plain_http_is_for_the_own_network_only(names):
    names["hooks.example.com"] = [["8.8.8.8"]]
    for allow in (False, True):
        with pytest.raises(DeliveryError) as caught:
            addresses_of(read_url("http://hooks.example.com/"), allow_private=allow)
        assert caught.value.code == "LM550"
    assert addresses_of(read_url("http://127.0.0.1/"), allow_private=True) == ["127.0.0.1"]


@pytest.mark.parametrize(
    ("host", "fits"),
    [
        ("hooks.slack.com", True),
        ("a.logic.azure.com", True),
        ("evilhooks.slack.com", False),
        ("logic.azure.com.evil.org", False),
    ],
)
def test_a_channel_may_name_its_hosts(host, fits, names):
    names[host] = [["8.8.8.8"]]
    hosts = ("hooks.slack.com", ".logic.azure.com")
    if fits:
        assert addresses_of(read_url(f"https://{host}/"), allow_private=False, hosts=hosts)
        return
    with pytest.raises(DeliveryError) as caught:
        addresses_of(read_url(f"https://{host}/"), allow_private=False, hosts=hosts)
    assert caught.value.code == "LM552"


def test_plain_http_into_the_own_network_is_told_what_it_lacks():
    with pytest.raises(DeliveryError, match=r"LM551 .*127\.0\.0\.1.*allow_private: true"):
        addresses_of(read_url("http://127.0.0.1:9000/hook"), allow_private=False)
