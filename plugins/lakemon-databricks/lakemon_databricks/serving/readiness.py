"""Waits until an endpoint answers with what was deployed, and says why when it does not."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import chain, repeat
from typing import TYPE_CHECKING

from lakemon_core.domain.errors import LakemonError, ModelError
from lakemon_core.domain.names import plain
from lakemon_core.ports import Progress
from lakemon_databricks.serving.described import Described

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

_PAUSES = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
"""Seconds between two looks; the last one repeats."""
_TAIL = 6
"""Lines of a build log that are shown, the last one first: it holds the reason, and messages are cut."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """Looks at one endpoint until something is so, or the time is over.

    The SDK's own waiter ends when the update has ended, whether the endpoint is ready or not.

    Attributes:
        client: of the workspace.
        look: returns the endpoint as it is now.
        progress: is told what is awaited.
        until: on the monotonic clock.
    """

    client: WorkspaceClient
    look: Callable[[], Described | None]
    progress: Progress
    until: float

    def settled(self) -> Described | None:
        """Returns the endpoint once no update is under way; None where there is none.

        Raises:
            ModelError: LM410 when that takes too long.
        """
        for pause in chain(_PAUSES, repeat(_PAUSES[-1])):
            found = self.look()
            if found is None or not found.updating:
                return found
            self._wait(found, pause, f"waiting for the running update of {found.name}")
        raise AssertionError("unreachable")

    def ready(self, name: str, shares: Mapping[str, int], *, changed: bool) -> Described:
        """Returns the endpoint once it answers with these versions and no update is under way.

        Args:
            name: of the endpoint.
            shares: version → percent of the traffic.
            changed: a change was sent; else a failed update was an earlier one, and does not matter where the
                endpoint answers as it shall.

        Raises:
            ModelError: LM410 not in time, LM416 it was removed meanwhile, LM425 the update failed, with the
                end of its build log.
        """
        started = time.monotonic()
        for pause in chain(_PAUSES, repeat(_PAUSES[-1])):
            found = self.look()
            if found is None:
                raise ModelError("LM416", f"endpoint {name} was removed while it was being deployed.")
            if not found.updating:
                if found.ready and found.shares == shares and not (changed and found.failed):
                    return found
                if found.failed or found.broken:
                    raise self._failed(found)
            seconds = time.monotonic() - started
            self._wait(found, pause, f"waiting for {name}: {found.detail}, {seconds:.0f} s")
        raise AssertionError("unreachable")

    def _wait(self, found: Described, pause: float, what: str) -> None:
        if time.monotonic() >= self.until:
            raise ModelError(
                "LM410",
                f"endpoint {found.name} is not ready in time: {found.detail};",
                where=found.url,
                cure="look at its page, or raise `serving.timeout_seconds`; running deploy again goes on"
                " waiting.",
            )
        self.progress.update(what)
        time.sleep(max(0.0, min(pause, self.until - time.monotonic())))

    def _failed(self, found: Described) -> ModelError:
        """Returns the error with the workspace's reason and the tail of the log that tells more."""
        culprits = found.broken or found.outputs
        said = [one.state.deployment_state_message or "" for one in culprits if one.state]
        reason = plain(" ".join(filter(None, said)) or found.detail, 400)
        names = [one.name for one in culprits if one.name]
        tail = self._build_log(found.name, names[0]) if names else ""
        serving = f"; version {found.version} goes on answering" if found.ready and found.version else ""
        return ModelError(
            "LM425",
            f"endpoint {found.name} was not updated ({found.update or 'not ready'}): {reason}{serving};",
            where=found.url,
            cure=f"its build log, last line first: {tail}"
            if tail
            else "it has no build log yet: see its page.",
        )

    def _build_log(self, endpoint: str, entity: str) -> str:
        from databricks.sdk.errors.base import DatabricksError

        try:
            log = self.client.serving_endpoints.build_logs(endpoint, entity).logs or ""
        except (DatabricksError, LakemonError) as error:
            return f"(it cannot be read: {error})"
        lines = [plain(line.strip(), 120) for line in log.splitlines() if line.strip()]
        return " | ".join(reversed(lines[-_TAIL:]))
