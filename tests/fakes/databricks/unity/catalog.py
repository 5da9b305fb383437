"""Catalogs, schemas and tables with their ids, columns and owners."""

from __future__ import annotations

from typing import Any

from fakes.databricks.lake import Lake, Schema, SqlFailure, Table
from fakes.databricks.lake.metastore import Catalog
from fakes.databricks.lake.types import type_name, type_text
from fakes.databricks.web.messages import Refused, Request, denied, invalid
from fakes.databricks.web.routing import Routes

_ROOT = "/api/2.1/unity-catalog"
Json = dict[str, Any]


class CatalogDoors:
    """What the SDK's `catalogs`, `schemas` and `tables` call."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def add_routes(self, routes: Routes) -> None:
        """Adds the doors."""
        routes.add("GET", f"{_ROOT}/catalogs", self._catalogs)
        routes.add("GET", f"{_ROOT}/catalogs/{{name}}", self._catalog)
        routes.add("GET", f"{_ROOT}/schemas", self._schemas)
        routes.add("POST", f"{_ROOT}/schemas", self._create_schema)
        routes.add("GET", f"{_ROOT}/schemas/{{name}}", self._schema)
        routes.add("GET", f"{_ROOT}/tables", self._tables)
        routes.add("GET", f"{_ROOT}/tables/{{name}}", self._table)
        routes.add("GET", f"{_ROOT}/tables/{{name}}/exists", self._table_exists)
        routes.add("DELETE", f"{_ROOT}/tables/{{name}}", self._drop_table)

    def _catalogs(self, request: Request) -> Json:
        store = self._lake.metastore
        seen = [
            found for found in store.catalogs.values() if store.holds(request.user, "USE CATALOG", found.name)
        ]
        return {"catalogs": [_seen_catalog(found) for found in seen]}

    def _catalog(self, request: Request) -> Json:
        name = request.params["name"].lower()
        found = self._lake.metastore.catalogs.get(name)
        if found is None:
            raise Refused(404, "CATALOG_DOES_NOT_EXIST", f"Catalog '{name}' does not exist.")
        self._demand(request, "USE CATALOG", name)
        return _seen_catalog(found)

    def _schemas(self, request: Request) -> Json:
        catalog = request.query.get("catalog_name", "").lower()
        found = [s for s in self._lake.metastore.schemas.values() if s.name.startswith(f"{catalog}.")]
        return {"schemas": [_seen_schema(schema) for schema in found]}

    def _create_schema(self, request: Request) -> Json:
        name, catalog = request.need("name", "catalog_name")
        full = f"{catalog}.{name}".lower()
        if full in self._lake.metastore.schemas:
            raise Refused(400, "SCHEMA_ALREADY_EXISTS", f"Schema '{full}' already exists.")
        if catalog.lower() not in self._lake.metastore.catalogs:
            raise Refused(404, "CATALOG_DOES_NOT_EXIST", f"Catalog '{catalog}' does not exist.")
        self._demand(request, "CREATE SCHEMA", catalog.lower())
        return _seen_schema(self._lake.create_schema(full, request.user))

    def _schema(self, request: Request) -> Json:
        name = request.params["name"].lower()
        found = self._lake.metastore.schemas.get(name)
        if found is None:
            raise Refused(404, "SCHEMA_DOES_NOT_EXIST", f"Schema '{name}' does not exist.")
        self._demand(request, "USE SCHEMA", name)
        return _seen_schema(found)

    def _tables(self, request: Request) -> Json:
        catalog, schema = request.query.get("catalog_name", ""), request.query.get("schema_name", "")
        if not catalog or not schema:
            raise invalid("catalog_name and schema_name are required.")
        start = f"{catalog}.{schema}.".lower()
        found = [table for name, table in self._lake.metastore.tables.items() if name.startswith(start)]
        return {"tables": [self._seen_table(table) for table in found]}

    def _found(self, request: Request) -> Table:
        name = request.params["name"].lower()
        found = self._lake.metastore.tables.get(name)
        if found is None:
            raise Refused(404, "TABLE_DOES_NOT_EXIST", f"Table '{name}' does not exist.")
        return found

    def _table(self, request: Request) -> Json:
        found = self._found(request)
        self._demand(request, "SELECT", found.name)
        return self._seen_table(found)

    def _table_exists(self, request: Request) -> Json:
        return {"table_exists": request.params["name"].lower() in self._lake.metastore.tables}

    def _drop_table(self, request: Request) -> Json:
        found = self._found(request)
        self._demand(request, "MANAGE", found.name)
        quoted = ".".join(f"`{part}`" for part in found.name.split("."))
        self._lake.sql(f"DROP {'VIEW' if found.is_view else 'TABLE'} {quoted}", request.user)
        return {}

    def _demand(self, request: Request, privilege: str, name: str) -> None:
        try:
            self._lake.metastore.demand(request.user, privilege, name)
        except SqlFailure as failure:
            raise denied(str(failure)) from failure

    def _seen_table(self, table: Table) -> Json:
        catalog, schema, name = table.name.split(".", 2)
        columns = [
            {
                "name": field.name,
                "type_text": type_text(field.type).lower(),
                "type_name": type_name(field.type),
                "position": position,
                "nullable": True,
            }
            for position, field in enumerate(self._lake.columns(table.name))
        ]
        return {
            "name": name,
            "catalog_name": catalog,
            "schema_name": schema,
            "full_name": table.name,
            "table_id": table.id,
            "table_type": "VIEW" if table.is_view else "MANAGED",
            "data_source_format": "DELTA",
            "owner": table.owner,
            "created_at": table.created_ms,
            "properties": table.properties,
            "columns": columns,
        }


def _seen_catalog(catalog: Catalog) -> Json:
    return {
        "name": catalog.name,
        "full_name": catalog.name,
        "owner": catalog.owner,
        "catalog_type": "MANAGED_CATALOG",
        "created_at": catalog.created_ms,
    }


def _seen_schema(schema: Schema) -> Json:
    return {
        "name": schema.short_name,
        "catalog_name": schema.name.partition(".")[0],
        "full_name": schema.name,
        "schema_id": schema.id,
        "owner": schema.owner,
        "created_at": schema.created_ms,
    }
