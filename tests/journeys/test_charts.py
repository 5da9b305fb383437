"""Charts as pictures after a real run: inside the mail of an incident, and as files beside the report."""

import email.policy
import hashlib
import xml.etree.ElementTree as ET
from email import message_from_bytes

import pytest

from lakemon_core.domain.mail import CHART_ID

WITHOUT = "import sys\nsys.modules['vl_convert'] = None\n"


@pytest.fixture(scope="module")
def shop(copy_of_shop):
    return copy_of_shop()


@pytest.fixture
def without_render(tmp_path, monkeypatch):
    """Processes that are started now find no vl-convert."""
    (tmp_path / "sitecustomize.py").write_text(WITHOUT)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))


def mails(shop):
    return [message_from_bytes(path.read_bytes(), policy=email.policy.default) for path in shop.mails()]


def size(png: bytes) -> tuple[int, int]:
    """Width and height as its header says."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    assert png[12:16] == b"IHDR"
    return int.from_bytes(png[16:20]), int.from_bytes(png[20:24])


def test_the_mail_of_an_incident_shows_its_chart(shop):
    opened = [mail for mail in mails(shop) if mail["Subject"].startswith("[critical]")]
    assert opened
    for mail in opened:
        (picture,) = [part for part in mail.walk() if part.get_content_type() == "image/png"]
        assert picture["Content-ID"] == f"<{CHART_ID}>"
        assert picture.get_content_disposition() == "inline"
        html = mail.get_body(("html",)).get_content()
        assert f'src="cid:{CHART_ID}"' in html
        assert 'alt="Chart: ' in html
        width, height = size(picture.get_content())
        assert width > 800
        assert height > 350
        assert len(picture.get_content()) < 200_000


def test_two_audiences_of_an_incident_see_the_same_chart_and_others_another(shop):
    pictures = {}
    for mail in mails(shop):
        for part in mail.walk():
            if part.get_content_type() == "image/png":
                digest = hashlib.sha256(part.get_content()).hexdigest()
                pictures.setdefault(mail["Subject"], set()).add(digest)
    assert all(len(shown) == 1 for shown in pictures.values())


def test_the_charts_of_a_report_are_files_of_their_names(shop):
    told = shop.json("report", "--charts", "pictures")
    folder = shop.folder / "pictures"
    assert sorted(told["charts"]) == sorted(str(path) for path in folder.iterdir())
    names = {path.stem for path in folder.iterdir()}
    assert {"1-day-drift", "1-day-roc-auc", "1-day-row-count"} <= names
    for name in names:
        assert size((folder / f"{name}.png").read_bytes())[0] > 1000
    picture = (folder / "1-day-roc-auc.svg").read_text()
    texts = [one.text for one in ET.fromstring(picture).iter("{http://www.w3.org/2000/svg}text")]
    assert {"ROC AUC", "limit 0.6", "2026-03-02"} <= set(texts)
    assert "http" not in picture.replace("http://www.w3.org/", "")


def test_without_the_extra_messages_go_out_as_ever_and_the_run_says_so(fresh_shop, without_render):
    done = fresh_shop.json("run")
    stages = {stage["name"]: stage["detail"] for stage in done["stages"]}
    assert stages["alert"]["charts"] == 'left out: pip install "lakemon[render]"'
    assert done["status"] == "done"
    sent = mails(fresh_shop)
    assert sent
    assert not [part for mail in sent for part in mail.walk() if part.get_content_type() == "image/png"]
    error = fresh_shop.json("report", "--charts", "pictures", code=2)["error"]
    assert error["code"] == "LM189"
    assert not (fresh_shop.folder / "pictures").exists()
