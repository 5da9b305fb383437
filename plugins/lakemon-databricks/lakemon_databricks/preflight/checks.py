"""The checks of `lakemon doctor` for a workspace: who we are, and what is missing, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from lakemon_core.domain.errors import LakemonError, ModelError
from lakemon_core.ports import BackendCheck
from lakemon_databricks.opened import Opened
from lakemon_databricks.preflight.grants import Need, Principal, missing, needs

_STOPPED = {"STOPPED", "STOPPING"}


@dataclass(frozen=True, slots=True)
class Preflight:
    """Looks at one workspace with the eyes of one config. Nothing is started, made or changed."""

    backend: Opened

    def checks(self) -> Iterator[BackendCheck]:
        """Yields one check a thing; the first one alone where we cannot sign in."""
        try:
            me = self.backend.client.current_user.me()
        except LakemonError as error:
            yield BackendCheck("databricks", ok=False, detail=str(error))
            return
        config = self.backend.client.config
        principal = Principal.of(me)
        detail = f"{config.host} as {principal.name}, by {config.auth_type}"
        yield BackendCheck("databricks", ok=True, detail=detail)
        yield _tried("warehouse", self._warehouse)
        yield from self._grants(principal)
        if self.backend.setup.monitor.serving is not None:
            yield _tried("endpoint", self._endpoint)

    def _warehouse(self) -> tuple[bool, str]:
        """A warehouse that is stopped starts with the first statement."""
        warehouse_id = self.backend.statements.warehouse_id
        found = self.backend.client.warehouses.get(warehouse_id)
        state = found.state.value if found.state else "in an unknown state"
        note = ", starts with the first statement" if state in _STOPPED else ""
        return state not in {"DELETED", "DELETING"}, f"{found.name} ({warehouse_id}) {state}{note}"

    def _grants(self, principal: Principal) -> Iterator[BackendCheck]:
        for need in needs(self.backend.setup.monitor, self.backend.config.state_schema):
            yield _tried("grants", lambda need=need: self._granted(need, principal))

    def _granted(self, need: Need, principal: Principal) -> tuple[bool, str]:
        from databricks.sdk.errors import NotFound

        label = f"{need.kind.lower()} {need.name}".replace("function ", "model ")
        try:
            lacking = missing(self.backend.client, need, principal)
        except ModelError as error:
            if error.code != "LM422":
                raise
            lacking = need.grants  # what we may not even see, we have nothing on
        except NotFound:
            if not need.optional:
                return False, f"{label} is not there, and is needed for {need.why}"
            return self._made_by_us(need, label, principal)
        if not lacking:
            return True, f"{label}: {', '.join(need.grants).replace('_', ' ')}"
        cures = "; ".join(need.statement(grant, principal.name) for grant in lacking)
        return False, f"{label} lacks {', '.join(lacking).replace('_', ' ')}, for {need.why}: {cures}"

    def _made_by_us(self, need: Need, label: str, principal: Principal) -> tuple[bool, str]:
        """Looks whether we may make a schema that is not there; tables need what its check asks for."""
        if need.kind != "SCHEMA":
            return True, f"{label} is not there yet"
        catalog = Need("CATALOG", need.name.partition(".")[0], ("CREATE_SCHEMA",), f"schema {need.name}")
        may_be_made, detail = self._granted(catalog, principal)
        told = "is not there yet: a run makes it" if may_be_made else f"is not there; {detail}"
        return may_be_made, f"{label} {told}"

    def _endpoint(self) -> tuple[bool, str]:
        monitor = self.backend.setup.monitor
        assert monitor.serving is not None
        name = monitor.serving.endpoint_name
        state = self.backend.serving.get(name)
        if state is None:
            return True, f"{name} is not there yet: deploy makes it"
        told = self.backend.foretell(monitor.serving, monitor.inference_table.payload)
        stops = [sentence for sentence in told if sentence.startswith("would stop")]
        version = f"version {state.version}" if state.version else "no version"
        return not stops, "; ".join([f"{name} {state.detail}, {version}", *told])


def _tried(name: str, look: Callable[[], tuple[bool, str]]) -> BackendCheck:
    from databricks.sdk.errors.base import DatabricksError

    try:
        ok, detail = look()
    except (LakemonError, DatabricksError) as error:
        return BackendCheck(name, ok=False, detail=f"could not be looked at: {error}")
    return BackendCheck(name, ok, detail)
