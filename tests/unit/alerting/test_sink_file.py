from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest
from pydantic import ValidationError

from lakemon_core.alerting.file import FileSink
from lakemon_core.testing.sinks import (
    AlertSinkContract,
    UnreachableSinkContract,
    open_sink,
    sample_attempt,
    sample_notification,
)


def mails(folder: Path):
    return [message_from_bytes(path.read_bytes(), policy=default) for path in sorted(folder.glob("*"))]


@pytest.fixture
def sink(tmp_path):
    return open_sink(FileSink, {}, tmp_path)


class TestFileSink(AlertSinkContract, UnreachableSinkContract):
    @pytest.fixture
    def received(self, tmp_path):
        def texts():
            return [
                f"{mail['Subject']}\n{mail.get_body(('plain',)).get_content()}"
                for mail in mails(tmp_path / "outbox")
            ]

        return texts

    @pytest.fixture
    def unreachable(self, tmp_path):
        (tmp_path / "a-file").write_text("in the way")
        return open_sink(FileSink, {"directory": tmp_path / "a-file" / "outbox"}, tmp_path)


def test_the_file_is_named_by_date_and_key(sink, tmp_path):
    result = sink.deliver(sink.render(sample_notification()), sample_attempt(key="ab12"))
    assert [path.name for path in (tmp_path / "outbox").iterdir()] == ["20130429T060000-ab12.eml"]
    assert result.receipt == {"path": str(tmp_path / "outbox" / "20130429T060000-ab12.eml")}


def test_a_message_that_is_sent_twice_is_one_file(sink, tmp_path):
    rendered = sink.render(sample_notification())
    for number in (1, 2):
        sink.deliver(rendered, sample_attempt(number=number))
    assert len(mails(tmp_path / "outbox")) == 1


def test_a_key_is_never_a_way_out_of_the_folder(sink, tmp_path):
    sink.deliver(sink.render(sample_notification()), sample_attempt(key="../../evil"))
    assert [path.name for path in tmp_path.iterdir()] == ["outbox"]
    assert len(mails(tmp_path / "outbox")) == 1


def test_addresses_stand_in_the_mail_and_other_targets_do_not(sink, tmp_path):
    note = sample_notification(targets=("ann@example.com", "#channel"))
    sink.deliver(sink.render(note), sample_attempt(targets=note.targets))
    (mail,) = mails(tmp_path / "outbox")
    assert mail["To"] == "ann@example.com"


def test_nothing_half_written_is_left_when_the_disk_refuses(sink, tmp_path):
    (tmp_path / "outbox" / "20130429T060000-ab12.eml").mkdir(parents=True)
    result = sink.deliver(sink.render(sample_notification()), sample_attempt(key="ab12"))
    assert result.status == "retry"
    assert [path.name for path in (tmp_path / "outbox").iterdir()] == ["20130429T060000-ab12.eml"]


def test_a_sender_that_is_no_address_is_refused(tmp_path):
    with pytest.raises(ValidationError, match="is not an e-mail address"):
        open_sink(FileSink, {"from": "nobody"}, tmp_path)
