import base64
import socket
import ssl
import threading
from dataclasses import dataclass, field
from email import message_from_bytes
from email.policy import default

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from fakes.fixtures import certificate, free_port, trusted
from lakemon_email import EmailSink

from lakemon_core.testing.sinks import open_sink

__all__ = ["certificate", "free_port", "trusted"]


@dataclass
class Mailbox:
    """The handler of a real SMTP server: keeps what it takes and refuses what it was told to refuse."""

    replies: dict = field(default_factory=dict)
    envelopes: list = field(default_factory=list)
    logins: list = field(default_factory=list)
    port: int = 0

    async def handle_MAIL(self, server, session, envelope, address, options):
        if reply := self.replies.get("MAIL"):
            return reply
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if reply := self.replies.get(address):
            return reply
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        reply = self.replies.get("DATA", "250 taken")
        if reply == "abort":
            self.envelopes.append(envelope)
            server.transport.abort()
            return "250 never heard"
        if reply.startswith("250"):
            self.envelopes.append(envelope)
        return reply

    async def auth_XOAUTH2(self, server, args):
        """What Microsoft's and Google's servers do: a refusal is a challenge that wants an empty answer."""
        said = base64.b64decode(args[1]).decode()
        self.logins.append(said)
        if "auth=Bearer good-token" in said:
            return AuthResult(success=True, auth_data=said)
        await server.push("334 " + base64.b64encode(b'{"status":"401"}').decode())
        assert await server._reader.readline() == b"\r\n"
        return AuthResult(success=False, handled=False)

    def authenticate(self, server, session, envelope, mechanism, data):
        self.logins.append((data.login.decode(), data.password.decode()))
        return AuthResult(success=self.logins[-1] == ("lakemon", "s3cret"), handled=False)

    @property
    def mails(self):
        return [message_from_bytes(envelope.content, policy=default) for envelope in self.envelopes]

    @property
    def texts(self):
        return [f"{mail['Subject']}\n{mail.get_body(('plain',)).get_content()}" for mail in self.mails]


@pytest.fixture
def serve(certificate, free_port):
    """Starts a real SMTP server; `security` as in the sink, `login` asks for one."""
    running = []

    def start(security="starttls", *, login=False, **replies):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate[1])
        mailbox = Mailbox(replies, port=free_port)
        options = {"starttls": {"tls_context": context, "require_starttls": True}}.get(security, {})
        if login:
            options |= {
                "authenticator": mailbox.authenticate,
                "auth_required": True,
                "auth_require_tls": security != "ssl",
            }
        controller = Controller(
            mailbox,
            hostname="127.0.0.1",
            port=mailbox.port,
            ssl_context=context if security == "ssl" else None,
            **options,
        )
        controller.start()
        running.append(controller)
        return mailbox

    yield start
    for controller in running:
        controller.stop()


@pytest.fixture
def serve_lines(free_port):
    """A server that says one line for each command it hears; None hangs up, `...` stays silent."""
    listener = socket.create_server(("127.0.0.1", free_port))
    listener.settimeout(30)
    stop = threading.Event()

    def talk(lines):
        connection, _ = listener.accept()
        with connection, connection.makefile("rb") as heard:
            for line in lines:
                if line is None:
                    return
                if line == "...":
                    stop.wait(30)
                    return
                connection.sendall(f"{line}\r\n".encode())
                if not heard.readline():
                    return

    threads = []

    def start(*lines):
        thread = threading.Thread(target=talk, args=(lines,), daemon=True)
        thread.start()
        threads.append(thread)
        return free_port

    yield start
    stop.set()
    for thread in threads:
        thread.join(5)
    listener.close()


@pytest.fixture
def sink_at(tmp_path):
    """Opens a sink against a port of this machine."""

    def make(port, secrets=None, **settings):
        whole = {"host": "127.0.0.1", "port": port, "from": "lakemon <lakemon@example.com>", "timeout": 5}
        return open_sink(EmailSink, whole | settings, tmp_path, secrets=secrets)

    return make
