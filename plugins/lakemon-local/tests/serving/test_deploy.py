"""An endpoint is deployed, updated, rolled back, found again and brought back; what cannot be says why."""

import http.client
import signal
import socket
import subprocess
import sys
import threading
from datetime import UTC, datetime

import pytest
from lakemon_local.serving.process import running

from lakemon_core.domain.errors import ModelError, UsageError, WorkspaceBusy
from lakemon_core.domain.names import TableName


@pytest.fixture
def taken_port():
    """A port that another program listens on."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def shared(live, request):
    """An endpoint of its own, named after the test, on the server that all tests share."""
    return live.again(request.node.name.removeprefix("test_").replace("_", "-")[:40])


def status_of(site, **headers: str) -> int:
    """The status of listing the endpoints with these headers."""
    server = running(site.workspace)
    connection = http.client.HTTPConnection(server.host, server.port, timeout=60)
    connection.request("GET", "/api/2.0/serving-endpoints", headers=headers)
    status = connection.getresponse().status
    connection.close()
    return status


def test_before_the_first_deploy_there_is_nothing(site, progress):
    assert site.serving.get(site.endpoint) is None
    assert site.server.state() is None
    assert site.server.stop() is False
    assert site.serving.rollback(site.endpoint, progress=progress) is None
    with pytest.raises(ModelError, match="LM415"):
        site.ask()


def test_an_endpoint_is_deployed_updated_and_rolled_back(shared, progress):
    first = shared.deploy("1")
    assert (first.ready, first.version, first.previous, first.payload) == (True, "1", "", shared.payload)
    assert shared.tables.exists(shared.payload), "the payload table is there before the first request"
    assert shared.ask().predictions == [1]

    second = shared.again().deploy("2")
    assert (second.version, second.previous) == ("2", "1")
    answer = shared.ask()
    assert (answer.served_version, len(answer.predictions[0])) == ("2", 2)

    back = shared.again().serving.rollback(shared.endpoint, progress=progress)
    assert (back.version, back.previous) == ("1", "")
    assert shared.ask().served_version == "1"
    assert shared.serving.rollback(shared.endpoint, progress=progress) is None

    versions = [shared.serving.entities()[row["served_entity_id"]].version for row in shared.logged()]
    assert sorted(versions) == ["1", "1", "2"], "every logged row knows the version that answered"


def test_a_second_deploy_of_the_same_version_changes_nothing_and_finds_the_same_server(shared):
    first = shared.deploy("1")
    pid, file = shared.server.state().pid, (shared.workspace / "endpoints.json").read_bytes()
    assert shared.again().deploy("1") == first
    assert (shared.workspace / "endpoints.json").read_bytes() == file
    assert shared.again().server.state().pid == pid


def test_a_version_that_cannot_be_loaded_leaves_the_old_one_in_place(shared):
    shared.deploy("1")
    with pytest.raises(
        ModelError, match=r"LM413 dev\.flights\.pickled version 1 .*model\.pkl.*trust_model: true"
    ):
        shared.deploy("1", model="dev.flights.pickled")
    with pytest.raises(ModelError, match=r"LM411 .*dev\.flights\.broken version 1 does not load"):
        shared.deploy("1", model="dev.flights.broken")
    assert shared.ask().served_version == "1"
    failed = shared.serving.get(shared.endpoint)
    assert (failed.ready, failed.version) == (True, "1")
    assert "UPDATE_FAILED" in failed.detail
    assert shared.deploy("1").detail == "READY NOT_UPDATING"
    assert shared.deploy("1", model="dev.flights.pickled", trust_model=True).ready


def test_requests_are_answered_all_through_an_update(shared):
    shared.deploy("1")
    answers, stop = [], threading.Event()

    def ask() -> None:
        while not stop.is_set():
            answers.append(shared.ask())

    client = threading.Thread(target=ask)
    client.start()
    for version in ("2", "1", "2"):
        shared.again().deploy(version)
    stop.set()
    client.join()
    assert {answer.status for answer in answers} == {200}
    assert {answer.served_version for answer in answers} == {"1", "2"}
    assert all(
        isinstance(answer.predictions[0], list) == (answer.served_version == "2") for answer in answers
    ), "an answer names the version that gave it"


def test_the_server_listens_on_the_port_of_the_config_and_moves_when_that_changes(site, progress):
    one, two = free_port(), free_port()
    assert site.server.ensure(one, progress).server.port == one
    assert site.again().server.ensure(0, progress).server.port == one
    assert site.again().server.ensure(two, progress).server.port == two


def test_a_port_that_is_taken_is_named_with_its_cure(site, taken_port):
    with pytest.raises(
        ModelError, match=rf"LM412 port {taken_port} of 127\.0\.0\.1 is taken .*serving\.port"
    ):
        site.deploy("1", port=taken_port)
    with pytest.raises(ModelError, match=rf"LM412 port {taken_port}"):
        site.again(port=taken_port).server.serve()
    assert site.server.state() is None


def test_a_server_that_cannot_start_shows_the_last_lines_of_its_log(site):
    (site.workspace / "endpoints.json").write_text("{")
    with pytest.raises(ModelError, match=r"LM415 .*LM611"):
        site.deploy("1")


def test_the_state_tells_where_the_server_is_and_what_it_serves(shared):
    shared.deploy("1")
    state = shared.again().server.state()
    served = {endpoint.name: endpoint for endpoint in state.endpoints}
    assert served[shared.endpoint].url.startswith(state.url)
    assert (served[shared.endpoint].version, served[shared.endpoint].ready) == ("1", True)
    assert state.log.endswith("server.log")
    with pytest.raises(WorkspaceBusy, match=rf"LM601 .*pid {state.pid}"):
        shared.again().server.serve()


def test_the_key_is_readable_by_its_owner_only_and_goes_with_the_server(site, progress):
    site.server.ensure(0, progress)
    state = site.workspace / "server.json"
    assert oct(state.stat().st_mode & 0o777) == "0o600"
    assert site.again().server.stop() is True
    assert not state.exists()
    assert site.server.stop() is False


def test_a_token_is_asked_for_when_one_is_set_and_lets_other_machines_in(site, progress):
    guarded = site.again(token="s3cret", host="0.0.0.0")
    assert guarded.server.ensure(0, progress).server.host == "127.0.0.1"
    assert status_of(site, Authorization="Bearer s3cret", Host="box.example") == 200
    assert status_of(site, Host="box.example") == 401
    assert guarded.ask().status == 404, "it came in, and there is no endpoint yet"
    assert site.again(token="wrong").ask().status == 401
    assert "s3cret" not in (site.workspace / "server.json").read_text()


def test_variables_reach_the_model_and_are_kept_nowhere(shared):
    shared.deploy("1", environment_vars={"GREETING": "${secret:a/b}"})
    pid = running(shared.workspace).pid
    assert shared.deploy("1", environment_vars={"GREETING": "${secret:a/b}"}).version == "1"
    kept = (
        b"".join(path.read_bytes() for path in shared.workspace.glob("*.json"))
        + (shared.workspace / "server.log").read_bytes()
    )
    assert b"revealed" not in kept
    assert running(shared.workspace).pid == pid


def test_records_that_are_not_json_are_refused_before_they_are_sent(shared):
    shared.deploy("1")
    for value in (float("nan"), float("inf"), datetime(2026, 1, 1, tzinfo=UTC)):
        with pytest.raises(ModelError, match="LM417"):
            shared.ask({"distance": value, "hour": 1.0})


def test_without_payload_logging_nothing_is_logged(shared):
    shared.serving._logs_payloads = False
    state = shared.deploy("1")
    assert state.payload is None
    assert shared.ask().status == 200
    shared.serving.flush()
    assert not shared.tables.exists(shared.payload)


def test_a_payload_table_or_split_that_databricks_would_refuse_is_refused(site):
    with pytest.raises(UsageError, match=r"LM151 .*traffic"):
        site.deploy("1", traffic={"1": 50, "2": 50})
    site.payload = TableName("dev", "flights", "requests")
    with pytest.raises(UsageError, match=r"LM151 .*inference_table\.payload"):
        site.deploy("1")
    assert site.server.state() is None


def test_an_endpoint_that_is_not_ready_in_time_says_so(shared):
    with pytest.raises(ModelError, match=r"LM410 .*server\.log"):
        shared.deploy("1", timeout_seconds=0.0)


def test_requests_are_found_again_by_their_ids(shared, progress):
    shared.deploy("2")
    asked = [shared.ask(client_request_id=f"c{number}").request_id for number in range(3)]
    found = shared.serving.logged(shared.payload, [*asked, "never sent"], wait_seconds=0.0, progress=progress)
    assert [entry.request_id for entry in found] == asked
    assert [entry.client_request_id for entry in found] == ["c0", "c1", "c2"]
    assert {(entry.status, entry.served_version) for entry in found} == {(200, "2")}
    assert shared.serving.logged(shared.payload, [], wait_seconds=0.0, progress=progress) == []


def test_stopping_moves_what_was_logged(site):
    site.deploy("1")
    asked = site.ask().request_id
    assert site.server.stop() is True
    rows = site.tables.scan(site.payload, columns=["databricks_request_id"]).read_all()[0].to_pylist()
    assert rows == [asked]


def test_a_server_in_the_foreground_ends_with_ctrl_c_and_puts_its_files_away(site):
    code = (
        "from pathlib import Path; from lakemon_local.serving.model_server import LocalModelServer;"
        f"LocalModelServer(Path({str(site.workspace)!r})).serve()"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    while (client := site.server.client()) is None or not client.health(1.0):
        assert process.poll() is None
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) != 0
    assert site.server.state() is None
    assert not (site.workspace / "server.json").exists()
