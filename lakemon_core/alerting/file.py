"""The sink `file`: writes each message as an .eml file that any mail program opens. Needs no server."""

from __future__ import annotations

import hashlib
import os
import re
from email import message_from_bytes
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import ClassVar, cast

from pydantic import ConfigDict, Field, field_validator

from lakemon_core.domain.incident import Attempt, DeliveryResult, DeliveryStatus, Notification, Rendered
from lakemon_core.domain.mail import compose, is_address
from lakemon_core.ports import AlertSink, PluginConfig, SinkCheck


class FileConfig(PluginConfig):
    """Settings of the sink `file`.

    Attributes:
        directory: where the files go; default `outbox` in the workspace.
        sender: the key `from`: address that stands in the mails.
    """

    model_config = ConfigDict(populate_by_name=True)

    directory: Path | None = None
    sender: str = Field("lakemon <lakemon@localhost>", alias="from")

    @field_validator("sender")
    @classmethod
    def _is_an_address(cls, sender: str) -> str:
        if not is_address(sender):
            raise ValueError("is not an e-mail address, e.g. lakemon@example.com")
        return sender


class FileSink(AlertSink):
    """Writes one file a message into a folder, whole or not at all; a message sent twice is one file."""

    type: ClassVar[str] = "file"
    Config: ClassVar[type[PluginConfig]] = FileConfig

    @property
    def directory(self) -> Path:
        """The folder the files go to."""
        return self._config.directory or self.setup.workspace / "outbox"

    @property
    def shows_charts(self) -> bool:
        """The mail shows it."""
        return True

    def render(self, notification: Notification) -> Rendered:
        """Returns the mail as bytes."""
        recipients = [target for target in notification.targets if is_address(target)]
        return Rendered(
            compose(notification, sender=self._config.sender, recipients=recipients), "message/rfc822"
        )

    def deliver(self, rendered: Rendered, attempt: Attempt) -> DeliveryResult:
        """Writes `<date>-<key>.eml`; the same key always gives the same file."""
        data = cast("bytes", rendered.body)
        path = self.directory / f"{_date(data)}-{_token(attempt.key)}.eml"
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            _write_whole(path, data)
        except OSError as error:
            return DeliveryResult(DeliveryStatus.RETRY, type(error).__name__, f"{path}: {error.strerror}")
        return DeliveryResult(DeliveryStatus.DELIVERED, detail=str(path), receipt={"path": str(path)})

    def check(self) -> SinkCheck:
        """Looks whether the folder is there, or can be made, and can be written to."""
        folder = next(one for one in (self.directory, *self.directory.absolute().parents) if one.exists())
        ok = folder.is_dir() and os.access(folder, os.W_OK)
        return SinkCheck(ok, f"writes to {self.directory}" if ok else f"{folder} cannot be written to")

    @property
    def _config(self) -> FileConfig:
        return cast("FileConfig", self.setup.config)


def _date(data: bytes) -> str:
    return f"{parsedate_to_datetime(message_from_bytes(data)['Date']):%Y%m%dT%H%M%S}"


def _token(key: str) -> str:
    """Returns a key as it may stand in a file name; one with other characters is hashed."""
    if re.fullmatch(r"[A-Za-z0-9_-]{1,64}", key):
        return key
    return hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest()[:32]


def _write_whole(path: Path, data: bytes) -> None:
    """Writes beside the place, makes it durable, and moves it in."""
    draft = path.with_suffix(f".{os.getpid()}.part")
    try:
        with draft.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
