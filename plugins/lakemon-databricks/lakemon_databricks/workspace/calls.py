"""Every call to the workspace ends in its time, and fails in our words.

The SDK retries 429, 503 and lost connections, but sleeps as long as a server tells it to, never retries 500,
502 and 504, and has no limit on an answer that drips in. `guarded` wraps the one door that all of its calls
pass through.
"""

from __future__ import annotations

import re
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar

from lakemon_core.domain.errors import LakemonError
from lakemon_databricks.workspace.refusals import no_answer, not_allowed, not_signed_in

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient

Answer = TypeVar("Answer")

LONGEST_PAUSE = 30.0
"""Seconds; a server that says `Retry-After: 86400` is asked again before that."""
_PAUSES = (0.5, 1.0, 2.0, 4.0)
"""Seconds before a call that failed with 500, 502 or 504 is sent again."""

_SIGNING_IN = {"databricks.sdk.oauth", "databricks.sdk.credentials_provider", "databricks.sdk.oidc"}
"""Modules of the SDK that fetch tokens; a login server that refuses makes them raise plain ValueErrors."""
_BAD_TOKEN = re.compile(r"invalid (access )?token", re.IGNORECASE)
"""A token that nobody knows is answered with 403, like a missing right."""


class Overdue(Exception):
    """A call was given up at its deadline."""


def in_time(seconds: float, work: Callable[[], Answer]) -> Answer:
    """Returns what `work` returns.

    The work runs in a thread of its own, for nothing else ends a socket that drips. A thread that is given up
    ends with its socket, or with the process.

    Raises:
        Overdue: it was not done in time.
        Exception: what it raised.
    """
    answers: list[Answer] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            answers.append(work())
        except BaseException as error:  # noqa: BLE001 - handed over to the caller's thread
            errors.append(error)

    thread = threading.Thread(target=run, name="databricks-call", daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not answers:
        raise Overdue
    return answers[0]


@dataclass(frozen=True, slots=True)
class _Door:
    """The one method through which the SDK sends every call, with our rules around it.

    Attributes:
        send: `ApiClient.do` of the SDK.
        host: where it goes.
        seconds: for one call with all of its retries.
        sends_again: after a fault of the server; otherwise that is an answer like others.
        pages: of each list that is being read, the tokens that were sent.
    """

    send: Callable[..., Any]
    host: str
    seconds: float
    sends_again: bool
    pages: dict[object, set[str]] = field(default_factory=dict[object, set[str]])

    def __call__(self, method: str, path: str | None = None, **options: Any) -> Any:
        call = f"{method} {path or options.get('url')}"
        self._refuse_loop(call, options.get("query") or {})
        deadline = time.monotonic() + self.seconds
        for pause in (*_PAUSES, None):
            left = deadline - time.monotonic()
            try:
                return in_time(left, lambda: self.send(method, path, **options))
            except Exception as error:  # noqa: BLE001 - told in our words, or raised as it is
                if pause is None or not self._passes(error) or time.monotonic() + pause >= deadline:
                    told = self._told(error, call)
                    raise told from (None if told is error else error)
                time.sleep(pause)
        raise AssertionError("unreachable")

    def _refuse_loop(self, call: str, query: Mapping[str, object]) -> None:
        """Ends a list whose pages come back to one that was read: the SDK would read it for ever."""
        asked = tuple(sorted((name, str(value)) for name, value in query.items() if name != "page_token"))
        read = self.pages.setdefault((threading.get_ident(), call, asked), set())
        token = query.get("page_token")
        if token is None:
            read.clear()
        elif str(token) in read:
            raise no_answer(self.host, f"answer {call}", "its pages repeat without an end")
        else:
            read.add(str(token))

    def _told(self, error: Exception, call: str) -> Exception:
        """Returns the error to raise; what a caller may look for, such as NotFound, stays as it is.

        So does a body that cannot be written as JSON: nothing was sent.
        """
        from databricks.sdk.errors import PermissionDenied, Unauthenticated
        from databricks.sdk.errors.base import DatabricksError

        what = f"answer {call}"
        if isinstance(error, LakemonError):
            return error
        if type(error) in {ValueError, TypeError}:
            return not_signed_in(error, self.host) if _of_token(error) else error
        if isinstance(error, Unauthenticated) or (
            isinstance(error, PermissionDenied) and _BAD_TOKEN.search(str(error))
        ):
            return not_signed_in(error, self.host)
        if isinstance(error, PermissionDenied):
            return not_allowed(error, call)
        if isinstance(error, Overdue):
            return no_answer(self.host, what, f"not within {self.seconds:g} s")
        if isinstance(error, DatabricksError) and not self._passes(error):
            return error
        if isinstance(error, TimeoutError) and error.__cause__ is not None:
            return no_answer(self.host, what, f"last it said: {_brief(error.__cause__)}")
        return no_answer(self.host, what, _brief(error))

    def _passes(self, error: Exception) -> bool:
        """Whether a fault is the server's own and may be over in a moment: 500, 502, 504.

        Sending a call again is safe: whatever we create has a name that is taken the second time, and all
        other changes put a state rather than add to one.
        """
        from databricks.sdk.errors import DeadlineExceeded, InternalError
        from databricks.sdk.errors.base import DatabricksError

        servers_own = isinstance(error, InternalError | DeadlineExceeded) or type(error) is DatabricksError
        return self.sends_again and servers_own


def _of_token(error: BaseException) -> bool:
    """Whether a plain error came up while the SDK asked a login server for a token."""
    frames = traceback.walk_tb(error.__traceback__)
    return any(frame.f_globals.get("__name__") in _SIGNING_IN for frame, _ in frames)


def _brief(error: BaseException) -> str:
    """Returns an error in few words; those of the network library repeat host, port and object ids."""
    from lakemon_databricks.workspace.refusals import message_of

    name = type(error).__name__
    if name in {"ConnectionError", "ConnectTimeout", "ReadTimeout", "ProxyError", "SSLError"}:
        return {"ConnectionError": "it cannot be reached"}.get(name, name)
    if name == "JSONDecodeError":
        return "its answer is not JSON (a login page of a proxy?)"
    return message_of(error) if isinstance(error, Exception) else name


def guarded(client: WorkspaceClient, seconds: float, *, sends_again: bool = True) -> WorkspaceClient:
    """Returns the client; all of its calls end within `seconds` from now on.

    Args:
        client: of the SDK.
        seconds: for one call with all of its retries.
        sends_again: sends a call again after 500, 502 and 504.

    Raised by its calls then: ModelError LM421 to LM423, and of the SDK's own errors those that tell of the
    thing that was asked for: NotFound, ResourceConflict, BadRequest, TooManyRequests and the like.
    """
    door = client.api_client
    send: Any = _Door(door.do, client.config.host or "", seconds, sends_again)
    door.do = send
    return client
