"""What came back from a request, and what that means for a delivery. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import cast

from lakemon_core.domain.errors import DeliveryError
from lakemon_core.domain.incident import ADDRESS_IS_DEAD, DeliveryResult, DeliveryStatus
from lakemon_core.domain.names import plain

LONGEST_PAUSE = 3600.0
"""Seconds; a channel that asks for a longer pause is asked again after this."""

_AGAIN = frozenset({408, 425, 429})
_GONE = frozenset({404, 410})


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one request.

    Attributes:
        outcome: how a delivery reads it, unless the channel has words of its own.
        status: HTTP status; 0 when no answer came.
        text: body of the answer, at most 64 KiB of it.
        headers: by lower-case name.
    """

    outcome: DeliveryResult
    status: int = 0
    text: str = field(default="", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)

    @property
    def is_success(self) -> bool:
        """Whether the status is 2xx."""
        return self.status // 100 == 2

    def json(self) -> Mapping[str, object]:
        """Returns the body as a JSON object; empty when it is none."""
        try:
            found: object = json.loads(self.text)
        except ValueError:
            return {}
        return cast("Mapping[str, object]", found) if isinstance(found, dict) else {}


def outcome_of(
    status: int, text: str, headers: Mapping[str, str], *, place: str, now: datetime
) -> DeliveryResult:
    """Returns what an HTTP answer means: 2xx delivered, 408, 425, 429 and 5xx again later, all else never.

    404 and 410 say that nobody is at this address any more: `ADDRESS_IS_DEAD`.
    """
    said = f"{place} answered {status} {plain(text, 200)}".rstrip()
    if status // 100 == 2:
        return DeliveryResult(DeliveryStatus.DELIVERED, str(status))
    if status in _AGAIN or status // 100 == 5:
        pause = retry_after(headers.get("retry-after", ""), now)
        return DeliveryResult(DeliveryStatus.RETRY, str(status), said, pause)
    if status in _GONE:
        cure = "make a new URL, put it where the config refers to it, then `lakemon alert replay --all`."
        gone = DeliveryError(ADDRESS_IS_DEAD, f"{said}: the address is dead;", cure=cure)
        return DeliveryResult(DeliveryStatus.REJECTED, gone.code, str(gone))
    if status // 100 == 3:
        said = f"{place} answered {status} with a redirect, which is not followed"
    return DeliveryResult(DeliveryStatus.REJECTED, str(status), said)


def retry_after(text: str, now: datetime) -> float | None:
    """Reads `Retry-After`, seconds or a date, in seconds from now, at most `LONGEST_PAUSE`; else None."""
    stripped = text.strip()
    if re.fullmatch(r"[0-9]{1,12}", stripped):
        return min(float(stripped), LONGEST_PAUSE)
    try:
        until = parsedate_to_datetime(stripped)
    except ValueError:
        return None
    aware = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max((aware - now).total_seconds(), 0.0), LONGEST_PAUSE)
