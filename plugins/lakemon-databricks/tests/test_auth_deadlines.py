"""Whatever the network does, a call ends in its time and says which call it was."""

import json
import time

import pytest
from databricks.sdk.errors import NotFound
from fakes.databricks import FakeWorkspace, faults
from fakes.databricks.web.messages import Answer
from lakemon_databricks.workspace import Connection, connect

from lakemon_core.domain.errors import ModelError

SECONDS = 1.0
WAREHOUSES = "/api/2.0/sql/warehouses"


@pytest.fixture
def client(signed_in: FakeWorkspace):
    return connect(Connection(call_seconds=SECONDS))


def names(client) -> list[str]:
    return [each.name for each in client.warehouses.list()]


SLOW = pytest.mark.slow


@pytest.mark.parametrize("status", [502, pytest.param(500, marks=SLOW), pytest.param(504, marks=SLOW)])
def test_a_fault_of_the_server_that_passes_is_not_seen(client, signed_in: FakeWorkspace, status):
    signed_in.faults.on("GET", WAREHOUSES, faults.refuses(status))
    assert names(client) == ["Serverless Starter Warehouse"]


@pytest.mark.parametrize(
    "retry_after",
    [
        "86400",
        pytest.param("junk", marks=SLOW),
        pytest.param("Fri, 31 Dec 2099 23:59:59 GMT", marks=SLOW),
    ],
)
def test_no_retry_after_keeps_a_call_longer_than_its_time(client, signed_in: FakeWorkspace, retry_after):
    signed_in.faults.on("GET", WAREHOUSES, faults.throttles(retry_after), times=None)
    ends_in_time(client)


@pytest.mark.parametrize("retry_after", [None, "0", "-5", "0.5", "junk", "Sun, 06 Nov 1994 08:49:37 GMT"])
def test_a_call_that_was_throttled_once_is_sent_again(signed_in: FakeWorkspace, retry_after):
    signed_in.faults.on("GET", WAREHOUSES, faults.throttles(retry_after))
    assert names(connect(Connection(call_seconds=30.0))) == ["Serverless Starter Warehouse"]


@pytest.mark.parametrize(
    "fault",
    [
        faults.refuses(500, "INTERNAL_ERROR", "out of order"),
        faults.black_hole(20),
        faults.drips(0.5),
        faults.shows_a_page(),
        pytest.param(faults.hangs_up(), marks=SLOW),
        pytest.param(faults.cuts(5), marks=SLOW),
    ],
    ids=lambda fault: fault.name.replace(" ", "-"),
)
def test_a_fault_that_stays_is_told_in_time(client, signed_in: FakeWorkspace, fault):
    signed_in.faults.on("GET", WAREHOUSES, fault, times=None)
    ends_in_time(client)


def ends_in_time(client) -> None:
    started = time.monotonic()
    with pytest.raises(ModelError, match=rf"LM423 http://127.0.0.1:\d+ .*GET {WAREHOUSES}") as told:
        names(client)
    assert time.monotonic() - started < SECONDS + 30  # the SDK alone waits 300 seconds, or a day
    assert "Traceback" not in str(told.value)


SCHEMAS = "/api/2.1/unity-catalog/schemas"


def another_page(*schemas: str) -> Answer:
    """A page of a list that is not its last one."""
    named = [{"full_name": name, "name": name} for name in schemas]
    return Answer(200, json.dumps({"schemas": named, "next_page_token": "again"}).encode())


def test_a_list_whose_pages_repeat_is_told(signed_in: FakeWorkspace):
    client = connect(Connection(call_seconds=30.0))
    signed_in.faults.on("GET", SCHEMAS, faults.rewrites(lambda _: another_page("prod.flights")), times=None)
    with pytest.raises(ModelError, match=r"LM423 .*pages repeat"):
        list(client.schemas.list("prod"))


def test_an_empty_page_is_not_the_end_of_a_list(signed_in: FakeWorkspace):
    client = connect(Connection(call_seconds=30.0))
    signed_in.lake.create_schema("prod.flights")
    signed_in.faults.on("GET", SCHEMAS, faults.rewrites(lambda _: another_page()))
    assert "prod.flights" in {one.full_name for one in client.schemas.list("prod")}


def test_what_is_not_there_stays_an_error_of_its_own(client):
    with pytest.raises(NotFound):
        client.warehouses.get("no-such-warehouse")


def test_a_missing_right_is_told_with_the_statement_that_grants_it(client, signed_in: FakeWorkspace):
    said = "User does not have USE CATALOG on Catalog 'prod'."
    signed_in.faults.on("GET", WAREHOUSES, faults.refuses(403, "PERMISSION_DENIED", said))
    with pytest.raises(ModelError, match=r"LM422 .*GRANT USE CATALOG ON CATALOG prod") as told:
        names(client)
    assert "config_file" not in str(told.value)
