"""A company's proxy that looks into TLS: whatever https name a client asks for, one server here answers.

So clients whose addresses cannot be chosen (Microsoft's login, a workspace of Azure) can be tried unchanged:
they take the proxy and the authority from the environment, as in a company's network.
"""

from __future__ import annotations

import socket
import ssl
from contextlib import suppress
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

from fakes.certificate import make_certificate


class TlsProxy:
    """Runs from its making until `stop`.

    Attributes:
        asked: names of the servers that were asked for, in order.
        authority: file of the certificate that clients have to trust.
        url: of the proxy.
    """

    def __init__(self, folder: Path, target: str, *names: str) -> None:
        """Lets `names` lead to the plain http server `target`; other names are refused."""
        self.asked: list[str] = []
        self.authority, both = make_certificate(folder, *names)
        self._names = set(names)
        address = urlsplit(target)
        self._target = (address.hostname or "127.0.0.1", address.port or 80)
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._tls.load_cert_chain(both)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        Thread(target=self._listen, daemon=True).start()

    def environment(self) -> dict[str, str]:
        """Returns the variables that send a client this way."""
        return {"HTTPS_PROXY": self.url, "REQUESTS_CA_BUNDLE": str(self.authority), "NO_PROXY": "127.0.0.1"}

    def stop(self) -> None:
        """Listens no more."""
        self._listening.close()

    def _listen(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError), client:
            asked = b""
            while b"\r\n\r\n" not in asked:
                if not (part := client.recv(4096)):
                    return
                asked += part
            name = asked.split()[1].decode().partition(":")[0]
            self.asked.append(name)
            if name not in self._names:
                client.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
                return
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            with self._tls.wrap_socket(client, server_side=True) as inside:
                self._relay(inside)

    def _relay(self, client: ssl.SSLSocket) -> None:
        with socket.create_connection(self._target) as server:
            back = Thread(target=_pump, args=(server, client), daemon=True)
            back.start()
            _pump(client, server)
            back.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while part := source.recv(65_536):
            sink.sendall(part)
    with suppress(OSError):
        sink.shutdown(socket.SHUT_WR)
