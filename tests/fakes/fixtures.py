"""What tests of servers on this machine need: a certificate that can be trusted, and a port that is free."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from fakes.certificate import make_certificate


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A self-made certificate of localhost and hooks.example.com.

    Returns:
        the file of the certificate, to be trusted, and the file of certificate and key, for a server.
    """
    return make_certificate(tmp_path_factory.mktemp("tls"), "hooks.example.com")


@pytest.fixture
def trusted(certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine trusts the self-made certificate."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))


@pytest.fixture
def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
