"""One conversation with an SMTP server, and what each of its answers means."""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

from lakemon_core.domain.incident import DeliveryResult, DeliveryStatus, TargetResult
from lakemon_core.domain.names import plain

Security = Literal["starttls", "ssl", "none"]
Answer = tuple[int, bytes]

_TROUBLE = (OSError, smtplib.SMTPException, UnicodeError)
_NOT_LOGGED_IN = 530


@dataclass(frozen=True, slots=True)
class Server:
    """An SMTP server and how to talk to it.

    Attributes:
        host: name or address.
        port: where it listens.
        security: `starttls`, `ssl` or `none`.
        username: of the login; None means no login.
        password: of the login.
        timeout: seconds to wait at each step.
        token: access token that stands in for the password (XOAUTH2).
    """

    host: str
    port: int
    security: Security
    username: str | None
    password: str | None = field(repr=False)
    timeout: float
    token: str | None = field(default=None, repr=False)

    def probe(self) -> str | None:
        """Connects, secures and logs in; returns what failed, or None."""
        try:
            _leave(self._enter())
        except _TROUBLE as error:
            return self._explain(error)
        return None

    def send(self, sender: str, recipients: Mapping[str, str], mail: bytes) -> DeliveryResult:
        """Hands one mail over.

        What fails before the mail itself is on its way can be tried again; when the connection is lost
        afterwards the mail may have arrived.

        Args:
            sender: envelope address.
            recipients: target as the rule names it → envelope address.
            mail: headers and body, CRLF line ends.
        """
        try:
            smtp = self._enter()
        except _TROUBLE as error:
            return DeliveryResult(DeliveryStatus.RETRY, _code(error), self._explain(error))
        try:
            return DeliveryResult.of(_hand_over(smtp, sender, recipients, mail))
        except _TROUBLE as error:
            return DeliveryResult(DeliveryStatus.RETRY, _code(error), self._explain(error))
        finally:
            _leave(smtp)

    def _enter(self) -> smtplib.SMTP:
        """Connects, secures the connection with a checked certificate, and logs in."""
        if self.security == "ssl":
            checked = ssl.create_default_context()
            smtp: smtplib.SMTP = smtplib.SMTP_SSL(self.host, self.port, timeout=self.timeout, context=checked)
        else:
            smtp = smtplib.SMTP(self.host, self.port, timeout=self.timeout)
        try:
            if self.security == "starttls":
                smtp.starttls(context=ssl.create_default_context())
            smtp.ehlo_or_helo_if_needed()
            if self.username is not None and self.token is not None:
                smtp.auth("XOAUTH2", self._bearer)
            elif self.username is not None and self.password is not None:
                smtp.login(self.username, self.password)
        except BaseException:
            smtp.close()
            raise
        return smtp

    @property
    def _key(self) -> str:
        return "oauth2" if self.token else "password"

    def _bearer(self, challenge: bytes | None = None) -> str:
        """Returns what XOAUTH2 sends first; a challenge is a refusal that wants an empty answer."""
        return "" if challenge else f"user={self.username}\x01auth=Bearer {self.token}\x01\x01"

    def _explain(self, error: Exception) -> str:
        """Says in one line what went wrong and what to look at; holds no password."""
        place = f"{self.host}:{self.port}"
        match _root(error):
            case smtplib.SMTPAuthenticationError() as refused:
                return f"{place} refused the login ({_said(refused)}); check username and {self._key}"
            case smtplib.SMTPNotSupportedError() if self.security == "starttls" and self.username is None:
                return f"{place} offers no STARTTLS; set security: ssl, or none for a trusted network"
            case ssl.SSLCertVerificationError() as untrusted:
                cure = "set SSL_CERT_FILE to a file with its authority's certificate"
                return f"the certificate of {place} is not trusted ({untrusted.verify_message}); {cure}"
            case ssl.SSLError() as broken:
                return f"no secure connection to {place} ({broken.reason}); check port and security"
            case UnicodeEncodeError(encoding="ascii"):
                return "username and password must be plain ASCII"
            case socket.gaierror() | UnicodeError():
                return f"the host {plain(self.host)} is not known"
            case ConnectionRefusedError():
                return f"nothing listens on {place}; check host and port, and whether the server is up"
            case TimeoutError():
                return f"{place} did not answer within {self.timeout:g} s"
            case root:
                return f"{place}: {_said(root)}"


def _hand_over(
    smtp: smtplib.SMTP, sender: str, recipients: Mapping[str, str], mail: bytes
) -> list[TargetResult]:
    options = [f"size={len(mail)}"] if smtp.has_extn("size") else []
    answer = smtp.mail(sender, options)
    if answer[0] != 250:
        return [_result(target, answer) for target in recipients]
    answers = {target: smtp.rcpt(spec) for target, spec in recipients.items()}
    taken = [target for target, (code, _) in answers.items() if code in {250, 251}]
    results = [_result(target, answer) for target, answer in answers.items() if target not in taken]
    return results + _hand_over_content(smtp, taken, mail) if taken else results


def _hand_over_content(smtp: smtplib.SMTP, targets: Sequence[str], mail: bytes) -> list[TargetResult]:
    try:
        answer = smtp.data(mail)
    except smtplib.SMTPDataError as error:
        answer = (error.smtp_code, _bytes(error.smtp_error))
    except (OSError, smtplib.SMTPException) as error:
        detail = f"the connection was lost while the mail was handed over ({_said(_root(error))})"
        return [TargetResult(target, DeliveryStatus.UNKNOWN, "lost", detail) for target in targets]
    return [_result(target, answer) for target in targets]


def _result(target: str, answer: Answer) -> TargetResult:
    """Returns what an answer means: 2xx taken, 4xx again later, 5xx never."""
    code, text = answer
    if code // 100 == 2:
        status = DeliveryStatus.DELIVERED
    elif code // 100 == 5 and code != _NOT_LOGGED_IN:
        status = DeliveryStatus.REJECTED
    else:
        status = DeliveryStatus.RETRY
    return TargetResult(target, status, str(code), _text(text))


def _leave(smtp: smtplib.SMTP) -> None:
    """Says good-bye; what the server answers to that changes nothing."""
    with suppress(OSError, smtplib.SMTPException):
        smtp.quit()
    smtp.close()


def _root(error: Exception) -> Exception:
    """Returns what is behind an error: smtplib hides timeouts in `SMTPServerDisconnected`."""
    return error.__context__ if isinstance(error.__context__, TimeoutError) else error


def _code(error: Exception) -> str:
    code = getattr(error, "smtp_code", None)
    return str(code) if code else type(error).__name__


def _said(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{error.smtp_code} {_text(_bytes(error.smtp_error))}"
    return plain(str(error), 300)


def _bytes(text: bytes | str) -> bytes:
    return text.encode() if isinstance(text, str) else text


def _text(answer: bytes) -> str:
    return plain(answer.decode(errors="replace"), 300)
