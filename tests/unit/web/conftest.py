import contextlib
import socket
import threading

import pytest
from fakes.fixtures import certificate, free_port, trusted
from fakes.receiver import Receiver

__all__ = ["certificate", "free_port", "trusted"]


@pytest.fixture
def receiver():
    with Receiver() as server:
        yield server


@pytest.fixture
def secured(certificate):
    with Receiver(certificate[1]) as server:
        yield server


@pytest.fixture
def talk():
    """Starts a server that does with each connection what a function says; returns its port."""
    listeners, stop = [], threading.Event()

    def start(behave):
        listener = socket.create_server(("127.0.0.1", 0))
        listeners.append(listener)

        def serve():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                with connection, contextlib.suppress(OSError):
                    behave(connection, stop)

        threading.Thread(target=serve, daemon=True).start()
        return listener.getsockname()[1]

    yield start
    stop.set()
    for listener in listeners:
        listener.close()


@pytest.fixture
def names(monkeypatch):
    """A resolver of our own: names and what they resolve to, once more for every further look."""
    known, asked = {}, []
    real = socket.getaddrinfo

    def look_up(host, port, *args, **kwargs):
        if host not in known:
            return real(host, port, *args, **kwargs)
        asked.append(host)
        found = known[host]
        addresses = found.pop(0) if len(found) > 1 else found[0]
        return [entry for address in addresses for entry in real(address, port, *args, **kwargs)]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    known["asked"] = asked
    return known
