"""Unity Catalog of the fake over REST: tables, grants and registered models."""

import pyarrow as pa
import pytest
from databricks.sdk.service.catalog import PermissionsChange, Privilege
from fakes.databricks import FakeWorkspace


@pytest.fixture
def lake(fake: FakeWorkspace) -> FakeWorkspace:
    """A table of ours, and a catalog of somebody else."""
    fake.lake.write("main.flights.logs", pa.table({"a": [1], "s": ["x"]}))
    fake.lake.create_schema("theirs.flights", owner="somebody@example.com")
    return fake


def test_a_table_tells_its_id_owner_and_columns(lake, client):
    found = client.tables.get("main.flights.logs")

    assert found.table_id == lake.lake.metastore.table("main.flights.logs").id
    assert found.owner == lake.user
    assert [(column.name, column.type_text) for column in found.columns] == [("a", "bigint"), ("s", "string")]


def test_a_table_that_is_made_again_has_another_id(lake, client):
    before = client.tables.get("main.flights.logs").table_id
    client.tables.delete("main.flights.logs")
    lake.lake.sql("CREATE TABLE main.flights.logs (a INT)")

    assert client.tables.get("main.flights.logs").table_id != before


def test_what_exists_is_listed(lake, client):
    client.schemas.create("extra", "main")

    assert {schema.name for schema in client.schemas.list("main")} == {"default", "extra", "flights"}
    assert [table.full_name for table in client.tables.list("main", "flights")] == ["main.flights.logs"]
    assert client.tables.exists("main.flights.logs").table_exists
    assert {catalog.name for catalog in client.catalogs.list()} == {"main"}


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda c: c.catalogs.get("nope"), "NotFound CATALOG_DOES_NOT_EXIST"),
        (lambda c: c.schemas.get("main.nope"), "NotFound SCHEMA_DOES_NOT_EXIST"),
        (lambda c: c.tables.get("main.flights.nope"), "NotFound TABLE_DOES_NOT_EXIST"),
        (lambda c: c.catalogs.get("theirs"), "PermissionDenied PERMISSION_DENIED"),
        (lambda c: c.schemas.get("theirs.flights"), "PermissionDenied PERMISSION_DENIED"),
        (lambda c: c.schemas.create("flights", "main"), "BadRequest SCHEMA_ALREADY_EXISTS"),
        (lambda c: c.schemas.create("new", "theirs"), "PermissionDenied PERMISSION_DENIED"),
        (lambda c: c.schemas.create("new", "nope"), "NotFound CATALOG_DOES_NOT_EXIST"),
        (lambda c: c.grants.get("table", "main.flights.nope"), "NotFound TABLE_DOES_NOT_EXIST"),
        (lambda c: c.grants.get("thing", "main"), "Unknown securable type"),
        (lambda c: c.registered_models.get("main.flights.nope"), "ResourceDoesNotExist"),
    ],
)
def test_what_is_not_there_or_not_allowed_is_refused(lake, client, refusal, call, told):
    assert told in refusal(lambda: call(client))


def test_grants_are_changed_and_inherited(lake, client):
    change = PermissionsChange(principal="team", add=[Privilege.USE_CATALOG, Privilege.SELECT])
    client.grants.update("catalog", "main", changes=[change])
    (effective,) = client.grants.get_effective("table", "main.flights.logs").privilege_assignments

    assert effective.principal == "team"
    assert {(each.privilege, each.inherited_from_name) for each in effective.privileges} == {
        (Privilege.USE_CATALOG, "main"), (Privilege.SELECT, "main"),
    }  # fmt: skip
    assert client.grants.get("table", "main.flights.logs").privilege_assignments == []
    client.grants.update(
        "catalog", "main", changes=[PermissionsChange(principal="team", remove=[Privilege.SELECT])]
    )
    (left,) = client.grants.get("catalog", "main").privilege_assignments
    assert left.privileges == [Privilege.USE_CATALOG]


def test_grants_of_others_are_not_ours_to_change(lake, client, refusal):
    change = PermissionsChange(principal=lake.user, add=[Privilege.SELECT])

    assert refusal(lambda: client.grants.update("catalog", "theirs", changes=[change])).startswith(
        "PermissionDenied"
    )


def test_a_group_opens_a_catalog(lake, client):
    lake.lake.metastore.groups["team"] = {lake.user}
    lake.lake.metastore.grant("theirs", "team", "USE CATALOG", "USE SCHEMA")

    assert client.schemas.get("theirs.flights").owner == "somebody@example.com"
    assert "team" in {group.display for group in client.current_user.me().groups}


def test_a_model_tells_its_owner_versions_and_aliases(lake, client):
    lake.models.add("main.flights.delays")
    lake.models.known["main.flights.delays"].aliases["champion"] = 1
    found = client.registered_models.get("main.flights.delays")

    assert (found.owner, found.aliases[0].alias_name) == (lake.user, "champion")
    assert [version.version for version in client.model_versions.list("main.flights.delays")] == [1]
    assert client.model_versions.get("main.flights.delays", 1).status.value == "READY"
