"""`lakemon doctor` names what is missing in the workspace, with the statement that grants it."""

import pytest
from fakes.databricks import FakeWorkspace, faults

OTHERS = "somebody@else.com"


@pytest.fixture
def prod(signed_in: FakeWorkspace) -> FakeWorkspace:
    """Catalog and schemas that belong to somebody else; we may do nothing yet."""
    for schema in ("flights", "monitoring", "lakemon"):
        signed_in.lake.create_schema(f"prod.{schema}", owner=OTHERS)
    return signed_in


def grant_all(workspace: FakeWorkspace) -> None:
    workspace.lake.metastore.grant("prod", workspace.user, "USE CATALOG")
    for schema in ("flights", "monitoring", "lakemon"):
        workspace.lake.metastore.grant(f"prod.{schema}", workspace.user, "USE SCHEMA")
        workspace.lake.metastore.grant(f"prod.{schema}", workspace.user, "CREATE TABLE")


def told(backend, name: str) -> dict[bool, list[str]]:
    found: dict[bool, list[str]] = {True: [], False: []}
    for check in backend.preflight():
        if check.name == name:
            found[check.ok].append(check.detail)
    return found


def test_missing_grants_are_named_with_the_statement_that_grants_them(prod, open_databricks):
    missing = "\n".join(told(open_databricks(), "grants")[False])
    assert f"GRANT USE CATALOG ON CATALOG `prod` TO `{prod.user}`" in missing
    assert f"GRANT CREATE TABLE ON SCHEMA `prod`.`monitoring` TO `{prod.user}`" in missing
    assert f"GRANT USE SCHEMA ON SCHEMA `prod`.`lakemon` TO `{prod.user}`" in missing


def test_nothing_is_missing_once_everything_is_granted(prod, open_databricks, models):
    grant_all(prod)
    assert told(open_databricks(), "grants")[False] == []


def test_a_grant_on_the_catalog_counts_for_its_schemas(prod, open_databricks, models):
    prod.lake.metastore.grant("prod", prod.user, "USE CATALOG")
    prod.lake.metastore.grant("prod", prod.user, "USE SCHEMA")
    prod.lake.metastore.grant("prod", prod.user, "CREATE TABLE")
    assert told(open_databricks(), "grants")[False] == []


def test_a_schema_that_is_not_there_is_made_where_we_may(signed_in, open_databricks, models):
    signed_in.lake.create_schema("prod.flights")
    found = told(open_databricks(), "grants")
    assert any("schema prod.monitoring is not there yet: a run makes it" in detail for detail in found[True])


def test_a_model_that_is_not_there_is_told(signed_in, open_databricks):
    signed_in.lake.create_schema("prod.flights")
    missing = told(open_databricks(), "grants")[False]
    assert missing == ["model prod.flights.delays is not there, and is needed for deploy"]


def test_who_we_are_and_how_we_signed_in_is_told(signed_in, open_databricks):
    assert told(open_databricks(), "databricks")[True] == [f"{signed_in.host} as {signed_in.user}, by pat"]


def test_a_warehouse_that_is_not_there_is_told(signed_in, open_databricks):
    backend = open_databricks({"warehouse_id": "gone"})
    (detail,) = told(backend, "warehouse")[False]
    assert "gone" in detail


def test_several_warehouses_want_a_choice(signed_in, open_databricks):
    signed_in.warehouses.known["other"] = "Large"
    (detail,) = told(open_databricks(), "warehouse")[False]
    assert "LM620" in detail
    assert "Large (other)" in detail


def test_where_we_cannot_sign_in_that_is_all_that_is_told(signed_in, open_databricks, monkeypatch):
    monkeypatch.setenv("DATABRICKS_TOKEN", "dapi-unknown")
    (check,) = open_databricks().preflight()
    assert not check.ok
    assert "LM421" in check.detail


def test_a_check_that_cannot_be_made_is_not_well(signed_in, open_databricks):
    signed_in.faults.on("GET", "/api/2.1/unity-catalog/*", faults.refuses(400, "INVALID_STATE"), times=None)
    found = told(open_databricks(), "grants")
    assert found[True] == []
    assert all("could not be looked at: scripted" in detail for detail in found[False])
