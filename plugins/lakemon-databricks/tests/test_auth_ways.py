"""Every way to sign in that teams use, and what is said when it does not work."""

import base64
import json
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from fakes.databricks import FakeWorkspace, faults
from fakes.tls_proxy import TlsProxy
from lakemon_databricks.workspace import Connection, connect

from lakemon_core.domain.errors import ModelError

SUBJECT = "repo:team/flights:environment:prod"
PRINCIPAL = "5e7f1ce0-0000-4000-8000-000000000001"


def jwt(subject: str) -> str:
    """A token as a CI system signs one; the fake reads its subject only."""
    parts = ({"alg": "none"}, {"sub": subject, "iss": "https://ci.example.com"})
    return (
        ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
        + ".x"
    )


@pytest.fixture
def ci_tokens() -> Iterator[str]:
    """The address where a CI system gives out tokens for the job that runs."""

    class Door(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer({"value": jwt(SUBJECT)})

        def do_POST(self) -> None:
            self._answer({"oidcToken": jwt(SUBJECT)})

        def _answer(self, body: dict) -> None:
            content = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def who(connection: Connection) -> str | None:
    return connect(connection).current_user.me().user_name


def test_a_token_of_the_environment_signs_in_and_says_that_it_is_lakemon(signed_in: FakeWorkspace):
    assert who(Connection()) == signed_in.user
    agents = {call.request.headers["user-agent"].split()[0] for call in signed_in.journal.to("GET", "*/Me")}
    assert agents == {"lakemon/0.1.0"}


def test_a_profile_signs_in(databricks_workspace: FakeWorkspace, tmp_path: Path):
    workspace = databricks_workspace
    (tmp_path / "databrickscfg").write_text(f"[prod]\nhost = {workspace.host}\ntoken = {workspace.token}\n")
    assert who(Connection(profile="prod")) == workspace.user


def test_a_service_principal_signs_in_by_its_secret(databricks_workspace: FakeWorkspace, monkeypatch):
    databricks_workspace.identity.service_principals[PRINCIPAL] = "its-secret"
    monkeypatch.setenv("DATABRICKS_CLIENT_ID", PRINCIPAL)
    monkeypatch.setenv("DATABRICKS_CLIENT_SECRET", "its-secret")
    assert who(Connection(host=databricks_workspace.host)) == PRINCIPAL


def test_a_github_job_signs_in_without_any_secret(
    databricks_workspace: FakeWorkspace, monkeypatch, ci_tokens
):
    databricks_workspace.identity.trusted_subjects[SUBJECT] = PRINCIPAL
    monkeypatch.setenv("DATABRICKS_CLIENT_ID", PRINCIPAL)
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "of-the-job")
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", f"{ci_tokens}/token?api-version=2.0")
    assert who(Connection(host=databricks_workspace.host, auth_type="github-oidc")) == PRINCIPAL


def test_an_azure_devops_job_signs_in_without_any_secret(
    databricks_workspace: FakeWorkspace, monkeypatch, ci_tokens
):
    databricks_workspace.identity.trusted_subjects[SUBJECT] = PRINCIPAL
    monkeypatch.setenv("DATABRICKS_CLIENT_ID", PRINCIPAL)
    for name, value in {
        "ACCESSTOKEN": "of-the-job",
        "TEAMFOUNDATIONCOLLECTIONURI": f"{ci_tokens}/",
        "TEAMPROJECTID": "p",
        "PLANID": "1",
        "JOBID": "2",
        "HOSTTYPE": "build",
    }.items():
        monkeypatch.setenv(f"SYSTEM_{name}", value)
    assert who(Connection(host=databricks_workspace.host, auth_type="azure-devops-oidc")) == PRINCIPAL


AZURE = "adb-4711471147114711.11.azuredatabricks.net"
LOGIN = "login.microsoftonline.com"


@pytest.fixture
def azure(databricks_workspace: FakeWorkspace, monkeypatch, tmp_path) -> Iterator[TlsProxy]:
    """A workspace of Azure and Microsoft's login server, at their true names, behind a company's proxy."""
    proxy = TlsProxy(tmp_path, databricks_workspace.host, AZURE, LOGIN)
    for name in ("https_proxy", "http_proxy", "all_proxy", "no_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in proxy.environment().items():
        monkeypatch.setenv(name, value)
    yield proxy
    proxy.stop()


@pytest.mark.parametrize("tenant", ["its-tenant", ""], ids=["tenant", "tenant-told-by-the-workspace"])
def test_an_azure_service_principal_signs_in_at_microsoft(
    azure: TlsProxy, databricks_workspace: FakeWorkspace, monkeypatch, tenant: str
):
    databricks_workspace.identity.service_principals[PRINCIPAL] = "its-secret"
    monkeypatch.setenv("ARM_CLIENT_ID", PRINCIPAL)
    monkeypatch.setenv("ARM_CLIENT_SECRET", "its-secret")
    if tenant:
        monkeypatch.setenv("ARM_TENANT_ID", tenant)
    assert who(Connection(host=f"https://{AZURE}")) == PRINCIPAL
    (call, *_) = databricks_workspace.journal.to("POST", "*/oauth2/token")
    assert (call.request.path, call.request.headers["host"]) == (
        f"/{tenant or 'fake-tenant'}/oauth2/token",
        LOGIN,
    )
    assert set(azure.asked) == {AZURE, LOGIN}


def test_a_wrong_secret_of_an_azure_service_principal_is_told(
    azure: TlsProxy, databricks_workspace: FakeWorkspace, monkeypatch
):
    databricks_workspace.identity.service_principals[PRINCIPAL] = "its-secret"
    for name, value in (("CLIENT_ID", PRINCIPAL), ("CLIENT_SECRET", "an-old-one"), ("TENANT_ID", "t")):
        monkeypatch.setenv(f"ARM_{name}", value)
    with pytest.raises(ModelError, match=r"LM421 .*Client authentication failed") as told:
        who(Connection(host=f"https://{AZURE}"))
    assert "an-old-one" not in str(told.value)


def test_a_github_job_signs_in_at_microsoft_without_any_secret(
    azure: TlsProxy, databricks_workspace: FakeWorkspace, monkeypatch, ci_tokens
):
    databricks_workspace.identity.trusted_subjects[SUBJECT] = PRINCIPAL
    monkeypatch.setenv("ARM_CLIENT_ID", PRINCIPAL)
    monkeypatch.setenv("ARM_TENANT_ID", "its-tenant")
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "of-the-job")
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", f"{ci_tokens}/token?api-version=2.0")
    assert who(Connection(host=f"https://{AZURE}", auth_type="github-oidc-azure")) == PRINCIPAL


def test_without_credentials_the_ways_to_give_them_are_named(databricks_workspace: FakeWorkspace):
    with pytest.raises(ModelError, match=r"LM420 .*DATABRICKS_HOST with a token"):
        connect(Connection(host=databricks_workspace.host))


def test_two_kinds_of_credentials_are_refused_until_one_is_chosen(signed_in: FakeWorkspace, monkeypatch):
    signed_in.identity.service_principals[PRINCIPAL] = "its-secret"
    monkeypatch.setenv("DATABRICKS_CLIENT_ID", PRINCIPAL)
    monkeypatch.setenv("DATABRICKS_CLIENT_SECRET", "its-secret")
    with pytest.raises(ModelError, match=r"LM420 .*more than one .*databricks.auth_type"):
        connect(Connection())
    assert who(Connection(auth_type="oauth-m2m")) == PRINCIPAL


def test_a_token_that_nobody_knows_is_told_from_a_missing_right(signed_in: FakeWorkspace, monkeypatch):
    monkeypatch.setenv("DATABRICKS_TOKEN", "dapi-of-somebody-else")
    with pytest.raises(ModelError, match="LM421") as refused:
        connect(Connection())
    assert "dapi-of-somebody-else" not in str(refused.value)


def test_a_token_that_expires_in_the_middle_is_told(signed_in: FakeWorkspace):
    client = connect(Connection())
    signed_in.identity.revoke(signed_in.token)
    signed_in.faults.on("GET", "*/warehouses", faults.forgets_the_token())
    with pytest.raises(ModelError, match="LM421"):
        list(client.warehouses.list())


def test_a_host_that_is_no_workspace_is_told(signed_in: FakeWorkspace):
    signed_in.faults.on("GET", "*/Me", faults.refuses(404), times=None)
    with pytest.raises(ModelError, match=r"LM424 .*tell who we are"):
        connect(Connection())


def test_a_host_that_is_not_there_is_told_within_ten_seconds(monkeypatch):
    monkeypatch.setenv("DATABRICKS_TOKEN", "any")
    started = time.monotonic()
    with pytest.raises(ModelError, match=r"LM423 http://127.0.0.1:9 .*cannot be reached"):
        connect(Connection(host="http://127.0.0.1:9"))
    assert time.monotonic() - started < 60  # the SDK alone waits 300 seconds
