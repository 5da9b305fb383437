"""A channel refuses a message: it goes another way, is listed as dead, and can be sent again."""

from email import message_from_bytes
from email.policy import default

from lakemon_core.cli.main import call

PAGER = """
from pathlib import Path

from lakemon_core import alert_sink
from lakemon_core.domain.incident import DeliveryResult, DeliveryStatus

PLACE = Path(__file__).parent


@alert_sink
def page(notification, config):
    if (PLACE / "closed").exists():
        return DeliveryResult(DeliveryStatus.REJECTED, "403", "the pager knows nobody here")
    (PLACE / "paged.txt").write_text(notification.key)
"""


def test_a_refused_message_goes_another_way_is_listed_and_can_be_replayed(project):
    (project.folder / "team_pager.py").write_text(PAGER)
    (project.folder / "closed").touch()
    project.config(
        ", recipients: [pager]",
        sinks='pager: {type: python, target: "team_pager:page"}\n  desk: {type: file}',
    )
    ran = project.day(0, nulls=50, code=4)
    sent = [(one["sink"], one["status"]) for one in ran["deliveries"]]
    assert sent == [("pager", "dead"), ("desk", "delivered")]
    assert project.mails() == 1
    listed = project.lakemon("alert", "list")["messages"]
    assert [(one["sink"], one["status"]) for one in listed] == [("pager", "dead"), ("desk", "delivered")]
    assert listed[0]["detail"] == "403 the pager knows nobody here"
    again = project.lakemon("alert", "replay", listed[0]["key"][:8], code=4)["deliveries"]
    assert [one["status"] for one in again] == ["dead"]
    (project.folder / "closed").unlink()
    assert project.lakemon("alert", "replay", "--all")["deliveries"][0]["status"] == "delivered"
    assert (project.folder / "paged.txt").exists()
    assert project.mails() == 1
    assert project.lakemon("alert", "replay", "nonsense", code=2)["error"]["code"] == "LM126"


def test_a_message_that_is_dead_stands_in_the_summary_with_its_reason_and_the_run_ends_with_4(project, capfd):
    (project.folder / "refusing_sinks.py").write_text(PAGER)
    (project.folder / "closed").touch()
    project.config(sinks='pager: {type: python, target: "refusing_sinks:page"}')
    project.load(0, nulls=50)
    assert call(["run"]) == 4
    shown = " ".join(capfd.readouterr().out.split())
    assert "dead by pager: risk dev: null rate of amount 0.5 > 0.3" in shown
    assert "403 the pager knows nobody here" in shown
    incident = project.incident()["id"]
    assert f"since 2026-01-05 UTC ({incident[:8]})" in shown


def test_messages_link_to_the_report_where_it_is_published(project):
    project.config()
    place = project.folder / "monitoring_config.yml"
    published = "https://reports.example.com/risk/?env=dev"
    text = place.read_text().replace("monitoring:\n", f"monitoring:\n      report_url: {published}\n", 1)
    place.write_text(text)
    project.day(0, 50)
    (mail,) = (project.folder / ".lakemon" / "outbox").glob("*.eml")
    message = message_from_bytes(mail.read_bytes(), policy=default)
    assert published in message.get_body(("plain",)).get_content()
    assert published in message.get_body(("html",)).get_content().replace("&amp;", "&")
