"""Credentials, faults by script, and calls that nobody knows."""

import base64
import json

import pytest
import requests
from databricks.sdk import WorkspaceClient
from databricks.sdk.core import Config
from fakes.databricks import FakeWorkspace, faults
from fakes.databricks.web.messages import Answer

ME = "/api/2.0/preview/scim/v2/Me"


def get(fake: FakeWorkspace, **more) -> requests.Response:
    return requests.get(
        f"{fake.host}{ME}", headers={"Authorization": f"Bearer {fake.token}"}, timeout=60, **more
    )


def test_the_host_tells_its_workspace(fake, client):
    assert client.config.workspace_id == "4711471147114711"
    assert client.current_user.me().user_name == fake.user


@pytest.mark.parametrize(("header", "status"), [({}, 401), ({"Authorization": "Bearer nope"}, 403)])
def test_no_token_is_401_and_an_unknown_one_403(fake, header, status):
    assert requests.get(f"{fake.host}{ME}", headers=header, timeout=60).status_code == status


def test_an_oauth_token_of_a_service_principal_expires_by_the_clock(fake):
    fake.identity.service_principals["client-id"] = "a-secret"
    form = {"grant_type": "client_credentials", "client_id": "client-id", "client_secret": "a-secret"}
    token = requests.post(f"{fake.host}/oidc/v1/token", data=form, timeout=60).json()["access_token"]
    header = {"Authorization": f"Bearer {token}"}
    early = requests.get(f"{fake.host}{ME}", headers=header, timeout=60)
    fake.clock.advance(3601)

    assert early.json()["userName"] == "client-id"
    assert requests.get(f"{fake.host}{ME}", headers=header, timeout=60).status_code == 401


def test_the_sdk_logs_in_as_a_service_principal(fake):
    fake.identity.service_principals["client-id"] = "a-secret"
    config = Config(host=fake.host, client_id="client-id", client_secret="a-secret", auth_type="oauth-m2m")

    assert WorkspaceClient(config=config).current_user.me().user_name == "client-id"


def test_a_workload_becomes_the_principal_its_subject_is_trusted_as(fake, monkeypatch):
    claims = base64.urlsafe_b64encode(json.dumps({"sub": "repo:org/flights:ref:main"}).encode()).decode()
    monkeypatch.setenv("DATABRICKS_OIDC_TOKEN", f"e30.{claims.rstrip('=')}.sig")
    fake.identity.trusted_subjects["repo:org/flights:ref:main"] = "client-id"
    config = Config(host=fake.host, client_id="client-id", auth_type="env-oidc")

    assert WorkspaceClient(config=config).current_user.me().user_name == "client-id"


def test_a_wrong_secret_is_no_login(fake):
    fake.identity.service_principals["client-id"] = "a-secret"
    form = {"grant_type": "client_credentials", "client_id": "client-id", "client_secret": "wrong"}
    answer = requests.post(f"{fake.host}/oidc/v1/token", data=form, timeout=60)

    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("retry_after", [None, "5", "86400", "Wed, 21 Oct 2026 07:28:00 GMT", "soon"])
def test_a_429_carries_any_retry_after(fake, retry_after):
    fake.faults.on("GET", ME, faults.throttles(retry_after))
    answer = get(fake)

    assert (answer.status_code, answer.headers.get("Retry-After")) == (429, retry_after)
    assert get(fake).status_code == 200


def test_a_fault_waits_for_its_turn_and_strikes_as_often_as_told(fake):
    fake.faults.on("*", "/api/*", faults.refuses(502), after=1, times=2)

    assert [get(fake).status_code for _ in range(4)] == [200, 502, 502, 200]


def test_a_lost_answer_was_work_done(fake):
    fake.faults.on("POST", "/api/2.0/sql/statements", faults.loses_the_answer())
    body = {"statement": "CREATE TABLE main.default.t (a INT)", "warehouse_id": fake.warehouse_id}
    with pytest.raises(requests.ConnectionError):
        requests.post(
            f"{fake.host}/api/2.0/sql/statements", json=body, timeout=60,
            headers={"Authorization": f"Bearer {fake.token}"},
        )  # fmt: skip

    assert fake.lake.rows("main.default.t") == []
    assert str(fake.journal.calls[-1]) == "POST /api/2.0/sql/statements -> 0 loses the answer"


def test_a_line_that_is_closed_did_no_work(fake):
    fake.faults.on("GET", ME, faults.hangs_up())

    with pytest.raises(requests.ConnectionError):
        get(fake)


def test_a_page_comes_in_place_of_json(fake):
    fake.faults.on("GET", ME, faults.shows_a_page())

    assert get(fake).text.startswith("<!DOCTYPE html>")


def test_a_token_is_forgotten_in_the_middle(fake, client, refusal):
    fake.faults.on("GET", ME, faults.forgets_the_token(), after=1, times=None)
    client.current_user.me()

    assert refusal(client.current_user.me).startswith("Unauthenticated UNAUTHENTICATED")


def test_a_cut_answer_announces_more_than_comes(fake):
    fake.faults.on("GET", ME, faults.cuts(3))

    with pytest.raises(requests.RequestException, match="3 more expected"):
        get(fake)


def test_a_rewritten_answer_is_still_the_work_of_the_service(fake):
    fake.faults.on(
        "GET", ME, faults.rewrites(lambda answer: Answer(200, answer.body.replace(b"true", b'"maybe"')))
    )

    assert get(fake).json()["active"] == "maybe"


@pytest.mark.parametrize("fault", [faults.black_hole(30), faults.delays(30)])
def test_a_client_with_a_deadline_gets_away(fake, fault):
    fake.faults.on("GET", ME, fault)

    with pytest.raises(requests.ReadTimeout):
        requests.get(f"{fake.host}{ME}", headers={"Authorization": f"Bearer {fake.token}"}, timeout=0.2)


def test_a_drip_outlives_the_timeout_of_a_single_read(fake):
    fake.faults.on("GET", ME, faults.drips(0.001))

    assert get(fake).json()["userName"] == fake.user


def test_a_workspace_that_stops_ends_every_wait():
    fake = FakeWorkspace()
    fake.faults.on("GET", ME, faults.black_hole(600))
    with pytest.raises(requests.RequestException):
        requests.get(f"{fake.host}{ME}", timeout=0.1)
    fake.stop()

    with pytest.raises(requests.ConnectionError):
        requests.get(f"{fake.host}{ME}", timeout=1)


def test_an_unknown_call_is_a_404_and_fails_the_test_at_its_end(fake, client, refusal):
    assert "ENDPOINT_NOT_FOUND" in refusal(lambda: client.clusters.get("c"))
    with pytest.raises(AssertionError, match=r"GET /api/2\.1/clusters/get"):
        fake.check()

    fake.journal.unknown.clear()


def test_all_calls_are_written_down(fake, client):
    client.current_user.me()
    client.secrets.list_scopes()

    assert [call.status for call in fake.journal.to("GET", "*/Me")] == [200]


def test_a_body_that_is_no_json_object_is_refused(fake):
    header = {"Authorization": f"Bearer {fake.token}"}
    for body in ("{", "[]"):
        answer = requests.post(f"{fake.host}/api/2.0/sql/statements", data=body, headers=header, timeout=60)
        assert (answer.status_code, answer.json()["error_code"]) == (400, "MALFORMED_REQUEST")


def test_the_clock_moves_with_every_call_when_told(fake, client):
    fake.clock.seconds_a_call = 60
    before = fake.clock.now()
    client.current_user.me()
    moved = (fake.clock.now() - before).total_seconds()

    assert 60 <= moved < 120
