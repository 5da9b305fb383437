"""What people do on the dashboard really happens, and what others try does not."""

import http.client
from contextlib import closing
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode, urlsplit

from lakemon_local.ledger import SqliteLedger
from playwright.sync_api import expect

from lakemon_core.alerting.life.silencing import silences
from lakemon_core.pipeline.session import SystemClock

REFUSED = [
    "CREATE TABLE x AS SELECT 1", "DROP TABLE mlops_dev.shop.training", "DELETE FROM mlops_dev.shop.training",
    "INSERT INTO mlops_dev.shop.training SELECT * FROM mlops_dev.shop.training", "SELECT 1; SELECT 2",
    "COPY (SELECT 1) TO 'out.csv'", "ATTACH 'other.db'", "INSTALL httpfs", "LOAD httpfs", "USE memory",
    "SET enable_external_access = true", "PRAGMA database_list", "EXPORT DATABASE 'out'",
    "SELECT * FROM read_csv('monitoring_config.yml')", "SELECT * FROM read_text('/etc/hostname')",
    "SELECT * FROM read_blob('/etc/hostname')", "SELECT * FROM glob('*')", "SELECT * FROM 'logs.parquet'",
    "SELECT * FROM read_parquet('logs.parquet')", "SELECT * FROM read_json('http://127.0.0.1:1/x')",
    "SELECT * FROM delta_scan('x')", "SELECT * FROM sqlite_scan('.lakemon/ledger.db', 'runs')", "SELECT FROM",
]  # fmt: skip


def call(dashboard, method, path, body=None, **headers):
    """One plain request, as other programs make them; returns status, headers and body."""
    place = urlsplit(dashboard.url)
    connection = http.client.HTTPConnection(place.hostname, place.port, timeout=60)
    names = {name.replace("_", "-"): value for name, value in headers.items() if value is not None}
    connection.request(method, f"/{path}", body, {"Host": place.netloc} | names)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    return answer.status, dict(answer.getheaders()), text


def ledger_of(dashboard):
    """The ledger of the shop, as it is on the disk."""
    return SqliteLedger(dashboard.shop.folder / ".lakemon" / "ledger.db", SystemClock())


def incident(dashboard, number=0):
    """One of the open incidents, acknowledged or not, as the ledger has it now."""
    with closing(ledger_of(dashboard)) as ledger:
        return [one for one in ledger.incidents().values() if one.is_open][number]


def silent(dashboard):
    """The reasons of the silences that are running."""
    with closing(ledger_of(dashboard)) as ledger:
        return [one.reason for one in silences(ledger) if one.until > datetime.now(UTC)]


def test_acknowledge_is_written_and_told(dashboard, visit):
    one = incident(dashboard)
    assert not one.acknowledged_by
    mails = len(dashboard.shop.mails())
    page = visit("incidents")
    item = page.locator(f"#i-{one.fingerprint}")
    item.get_by_text("Acknowledge").first.click()
    item.get_by_label("Who").first.fill("Ada <b>")
    item.get_by_label("Why, or what you do").fill("looking into it")
    item.get_by_role("button", name="Acknowledge").click()
    expect(page.locator("#incidents .told")).to_contain_text("acknowledged by Ada <b>: looking into it")
    expect(item).to_contain_text("acknowledged by Ada <b>: looking into it")
    (now,) = [
        each
        for each in dashboard.shop.json("alert", "list", "-e", "dev")["incidents"]
        if each["id"] == one.fingerprint
    ]
    assert now["status"] == "acknowledged"
    assert now["acknowledged_by"] == "Ada <b>: looking into it"
    assert len(dashboard.shop.mails()) > mails


def test_silence_is_written_by_keyboard_alone_and_ended_again(dashboard, visit):
    one = incident(dashboard, -1)
    page = visit("incidents")
    page.locator(f"#silence-{one.fingerprint} summary").focus()
    page.keyboard.press("Enter")
    for keys in ["Tab", "ArrowDown", "Tab", "Tab", "Tab"]:
        page.keyboard.press(keys)
    page.keyboard.type("backfill of May")
    page.keyboard.press("Enter")
    expect(page.locator("#incidents .told")).to_contain_text("Silent until")
    (silence,) = dashboard.shop.json("alert", "list", "-e", "dev")["silences"]
    assert silence["reason"] == "backfill of May"
    assert silence["matches"].startswith("model=mlops_dev.shop.churn, rule=")
    until = datetime.fromisoformat(silence["until"])
    assert timedelta(hours=23) < until - datetime.now(UTC) <= timedelta(days=1)
    expect(page.locator(f"#i-{one.fingerprint}")).to_contain_text("silenced")
    page.get_by_role("button", name="End it now").click()
    expect(page.locator("#incidents .told")).to_contain_text("has ended")
    assert silent(dashboard) == []


TWO_LOOKS = """() => new Promise((done) => {
  let looks = 0;
  document.addEventListener("htmx:beforeRequest", () => { if (++looks === 2) done(); });
})"""


def test_what_somebody_writes_is_not_swept_away(dashboard, visit):
    one = incident(dashboard)
    page = visit("incidents")
    form = page.locator(f"#silence-{one.fingerprint}")
    form.locator("summary").click()
    form.get_by_label("Why").fill("half a sent")
    command = ["alert", "silence", "-e", "dev"]
    why = ["--rule", "roc_auc", "--for", "1 day", "--reason", "from the shell"]
    made = dashboard.shop.json(*command, *why)
    try:
        page.evaluate(TWO_LOOKS)
        expect(form.get_by_label("Why")).to_have_value("half a sent")
        form.locator("summary").click()
        expect(page.locator("#incidents")).to_contain_text("from the shell")
    finally:
        dashboard.shop.json(*command, "--end", made["id"])


def test_forms_work_without_a_script(dashboard, visit):
    one = incident(dashboard)
    page = visit("incidents", java_script_enabled=False)
    item = page.locator(f"#silence-{one.fingerprint}")
    item.locator("summary").click()
    item.get_by_label("Why").fill("holiday")
    item.get_by_role("button").click()
    expect(page.locator("#told")).to_contain_text("Silent until")
    assert silent(dashboard) == ["holiday"]
    page.get_by_role("button", name="End it now").click()
    expect(page.locator("#told")).to_contain_text("has ended")
    assert silent(dashboard) == []


def test_what_cannot_be_done_is_said_and_nothing_is_written(dashboard, visit):
    one = incident(dashboard)
    page = visit("incidents", complains="422")
    item = page.locator(f"#silence-{one.fingerprint}")
    item.locator("summary").click()
    item.get_by_label("Why").fill("   ")
    item.get_by_role("button").click()
    expect(page.locator("#incidents .problem").first).to_contain_text("LM127")
    assert silent(dashboard) == []


def test_sql_shows_the_rows_that_the_command_shows(dashboard, visit):
    sql = "SELECT city, count(*) AS n FROM mlops_dev.shop.inference_logs GROUP BY city ORDER BY n DESC"
    rows = dashboard.shop.json("query", sql, "-e", "dev")["rows"]
    page = visit("query")
    page.locator("textarea").fill(sql)
    page.locator("textarea").press("Control+Enter")
    expect(page.locator("#answer tbody tr")).to_have_count(len(rows))
    shown = [row.locator("td").all_inner_texts() for row in page.locator("#answer tbody tr").all()]
    assert shown == [[row["city"] or "", str(row["n"])] for row in rows]
    page.locator("textarea").fill("SELECT * FROM mlops_dev.shop.inference_logs")
    page.get_by_role("button", name="Ask").click()
    expect(page.locator("#answer")).to_contain_text("1000 rows, cut there: there are more")


def test_texts_of_data_stay_text(visit):
    page = visit("query")
    page.locator("textarea").fill("SELECT '<img src=x onerror=alert(1)>' AS \"<script>alert(2)</script>\"")
    page.get_by_role("button", name="Ask").click()
    expect(page.locator("#answer td")).to_have_text("<img src=x onerror=alert(1)>")
    expect(page.locator("#answer th")).to_have_text("<script>alert(2)</script>")
    assert page.locator("#answer img, #answer script").count() == 0


def test_sql_that_writes_or_leaves_the_tables_is_refused(dashboard):
    before = dashboard.shop.versions()
    files = sorted(path.name for path in dashboard.shop.folder.iterdir())
    headers, key = visitor(dashboard)
    for sql in REFUSED:
        body = urlencode({"sql": sql, "form_key": key, "place": "dev"})
        status, _, text = call(dashboard, "POST", "query", body, **headers)
        assert status == 422, sql
        assert "LM310" in text or "LM301" in text, sql
    assert dashboard.shop.versions() == before
    assert sorted(path.name for path in dashboard.shop.folder.iterdir()) == files


def test_a_statement_that_runs_long_can_be_stopped(visit):
    page = visit("query", complains="422")
    page.locator("textarea").fill("SELECT count(*) FROM range(10000000000000)")
    page.get_by_role("button", name="Ask").click()
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#answer .problem")).to_contain_text("LM317")


def visitor(dashboard):
    """The headers and the form key that a browser of this dashboard has."""
    _, headers, text = call(dashboard, "GET", "")
    key = text.split('X-Lakemon-Form": "')[1].split('"')[0]
    cookie = headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    origin = dashboard.url.rstrip("/")
    return {
        "Cookie": cookie.split(";")[0],
        "Origin": origin,
        "Content-Type": "application/x-www-form-urlencoded",
    }, key


def test_other_hosts_other_pages_and_foreign_forms_are_refused(dashboard):
    one = incident(dashboard)
    path = f"incidents/dev/{one.fingerprint}/acknowledge"
    headers, key = visitor(dashboard)
    body = urlencode({"author": "Eve", "form_key": key})
    for changed, said in [
        ({"Host": "evil.example"}, "LM193"),
        ({"Host": "127.0.0.1.evil.example:80"}, "LM193"),
        ({"Origin": "https://evil.example"}, "LM193"),
        ({"Origin": "null"}, "LM193"),
        ({"Origin": "http://127.0.0.1:1"}, "LM193"),
        ({"Origin": None}, "LM193"),
        ({"Cookie": None}, "LM193"),
        ({"Cookie": headers["Cookie"] + "x"}, "LM193"),
    ]:
        status, _, text = call(dashboard, "POST", path, body, **(headers | changed))
        assert (status, said in text) == (403, True), changed
    for foreign in [
        urlencode({"author": "Eve"}),
        urlencode({"author": "Eve", "form_key": "0" * 40}),
        "x" * 300_000,
    ]:
        assert call(dashboard, "POST", path, foreign, **headers)[0] == 403
    for path_of in ["", "incidents", "query"]:
        assert call(dashboard, "GET", path_of, Host="rebound.example")[0] == 403
        assert call(dashboard, "GET", path_of, Origin="https://evil.example")[0] == 403
    assert incident(dashboard) == one


def test_every_answer_carries_the_policy(dashboard):
    for path in ["", "incidents", "no/such/page", "assets/ui.js", "models/broken"]:
        _, headers, _ = call(dashboard, "GET", path)
        assert "script-src 'self'" in headers["content-security-policy"]
        assert "unsafe" not in headers["content-security-policy"]
        assert headers["x-frame-options"] == "DENY"
        assert headers["x-content-type-options"] == "nosniff"
    assert call(dashboard, "GET", "assets/..%2F..%2Frender.py")[0] == 404
    assert call(dashboard, "DELETE", "incidents")[0] == 403


def test_other_machines_need_the_token(dashboard, start_ui):
    with start_ui(dashboard.shop.folder, "--host", "0.0.0.0") as url:
        token = url.split("token=")[1]
        address = urlsplit(url)

        def ask(path, **headers):
            other = type(dashboard)(f"{address.scheme}://{address.netloc}/", dashboard.shop)
            return call(other, "GET", path, **headers)

        for path in ["", "incidents", "assets/ui.js", "?token=wrong", f"?token={token[:-1]}"]:
            status, headers, text = ask(path, Host="laptop.example:80")
            assert status == 401, path
            assert "set-cookie" not in headers
            assert "flight" not in text
        status, headers, _ = ask(f"incidents?token={token}&state=all", Host="laptop.example:80")
        assert (status, headers["location"]) == (303, "/incidents?state=all")
        cookie = headers["set-cookie"].split(";")[0]
        assert token not in cookie
        assert ask("incidents", Host="laptop.example:80", Cookie=cookie)[0] == 200
        assert ask("incidents", Host="laptop.example:80", Cookie=cookie + "0")[0] == 401


def test_a_port_that_is_taken_is_said(dashboard, tmp_path):
    port = urlsplit(dashboard.url).port
    done = dashboard.shop.start("ui", "--no-open", "--port", str(port))
    out, said = done.communicate(timeout=60)
    assert done.returncode == 3, out
    assert "LM642" in said


def test_one_bad_environment_hides_no_incident(dashboard, visit):
    page = visit("incidents?state=all")
    expect(page.locator("#incidents")).to_contain_text("broken cannot be read")
    assert page.locator(".incidents > li").count() == len(dashboard.shop.first["incidents"])
