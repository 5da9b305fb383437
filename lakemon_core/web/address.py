"""Where a request may go: URLs are read strictly, and addresses of private networks are refused.

A webhook's URL may come from a secret that somebody else writes. It must not become a way to talk to the
network lakemon runs in, so a name is resolved once, its addresses are judged, and the connection goes to one
of exactly these (`exchange`).
"""

from __future__ import annotations

import re
import socket
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from lakemon_core.domain.errors import DeliveryError

LONGEST_URL = 4000
"""Characters of a URL; longer ones are refused."""

_PORTS = {"https": 443, "http": 80}
_HOST = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,252}|[0-9A-Fa-f:.]{2,45}")
_SAFE = re.compile(r"[\x21-\x5b\x5d-\x7e]+")
_OWN = tuple(
    ip_network(text)
    for text in (
        "127.0.0.0/8",
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "100.64.0.0/10",
        "::1/128",
        "fc00::/7",
    )
)
_UNICAST = ip_network("2000::/3")
_SPECIAL = tuple(ip_network(text) for text in ("192.0.0.0/24", "192.88.99.0/24", "2002::/16", "3fff::/20"))
"""Networks of no host that older Pythons take for global."""


@dataclass(frozen=True, slots=True)
class Place:
    """What a URL names.

    Attributes:
        scheme: `https`, or `http` for places on the own network.
        host: name or address, without brackets.
        port: where it listens.
        target: path and query, byte for byte as they were written; they may hold a credential.
    """

    scheme: str
    host: str
    port: int
    target: str

    def __str__(self) -> str:
        """Host and port, which are no secret."""
        return f"{self.host}:{self.port}"

    def __repr__(self) -> str:
        """The same: path and query never show."""
        return f"Place({self})"


def read_url(url: str) -> Place:
    """Reads a URL that a request goes to.

    Raises:
        DeliveryError: LM550 when it is not a plain http(s) URL of a host, without user and password; the
            message does not hold the URL.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _unfit("cannot be read") from None
    if parts.scheme not in _PORTS:
        raise _unfit("does not begin with https://")
    if not _SAFE.fullmatch(url) or len(url) > LONGEST_URL:
        raise _unfit(f"holds spaces or other characters than ASCII, or more than {LONGEST_URL} of them")
    if "@" in parts.netloc:
        raise _unfit("holds a user or password")
    if not _HOST.fullmatch(host):
        raise _unfit("names no host")
    target = url.partition("://")[2].partition("#")[0].removeprefix(parts.netloc)
    target = target if target.startswith("/") else f"/{target}"
    return Place(parts.scheme, host, port or _PORTS[parts.scheme], target)


def addresses_of(place: Place, *, allow_private: bool, hosts: Collection[str] = ()) -> list[str]:
    """Resolves a place once and returns the addresses that a connection may go to.

    Args:
        place: where to.
        allow_private: addresses of private networks and of this machine are allowed, and plain http to them.
        hosts: names, or endings such as `.example.com`, that are allowed on the internet; empty allows all.

    Raises:
        DeliveryError: LM551 when none of its addresses is allowed; LM550, LM552 as `check_public`.
        OSError: when the name is not known.
    """
    found = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
    private = [one for one in addresses if is_private(one)]
    if allow_private and private:
        return private
    if len(private) == len(addresses):  # said first, for plain http is wrong on the internet only
        raise _not_public(place, addresses)
    check_public(place, hosts)
    public = [one for one in addresses if is_public(one)]
    if not public:
        raise _not_public(place, addresses)
    return public


def check_public(place: Place, hosts: Collection[str]) -> None:
    """Looks whether a place may be one of the internet, as far as its name says.

    Raises:
        DeliveryError: LM550 for plain http, LM551 for an address that is not public, LM552 for another host.
    """
    if place.scheme != "https":
        raise _unfit("does not begin with https://")
    if hosts and not any(_fits(place.host, host) for host in hosts):
        raise DeliveryError(
            "LM552",
            f"{place.host} is no host of this channel;",
            cure=f"use a URL of {', '.join(host.lstrip('.') for host in hosts)}.",
        )
    if _is_address(place.host) and not is_public(place.host):
        raise _not_public(place, [place.host])


def is_public(address: str) -> bool:
    """Whether an address belongs to one host of the internet.

    Addresses that carry another one inside (mapped, 6to4, NAT64) are not public: they may lead anywhere.
    """
    known = ip_address(address.partition("%")[0])
    in_use = known.version == 4 or known in _UNICAST
    return (
        in_use and known.is_global and not known.is_multicast and not any(known in part for part in _SPECIAL)
    )


def is_private(address: str) -> bool:
    """Whether an address belongs to a host of a private network or to this machine.

    Link-local ones do not count: metadata services of clouds answer there, and no receiver of alerts does.
    """
    known = ip_address(address.partition("%")[0])
    known = (known.ipv4_mapped or known) if isinstance(known, IPv6Address) else known
    return any(known in network for network in _OWN)


def _fits(host: str, allowed: str) -> bool:
    return host.endswith(allowed) if allowed.startswith(".") else host == allowed


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _not_public(place: Place, addresses: Sequence[str]) -> DeliveryError:
    return DeliveryError(
        "LM551",
        f"{place.host} leads to an address that is not public ({', '.join(addresses[:3])});",
        cure="set `allow_private: true` at the sink if it is meant to be in your own network.",
    )


def _unfit(why: str) -> DeliveryError:
    return DeliveryError(
        "LM550", f"the URL of the sink {why};", cure="copy it again, whole, from where it was made."
    )
