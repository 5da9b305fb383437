"""Rows of a result: Arrow streams that lie behind links in the workspace's storage."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from io import BytesIO
from typing import TYPE_CHECKING
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import urlopen

import pyarrow as pa

from lakemon_databricks.statements.failures import not_fetched
from lakemon_databricks.statements.sql_types import arrow_schema

if TYPE_CHECKING:
    from databricks.sdk import WorkspaceClient
    from databricks.sdk.service.sql import ExternalLink, StatementResponse

_ATTEMPTS = 3
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


@dataclass(frozen=True, slots=True)
class Result:
    """The rows of one statement that succeeded; they can be fetched until `until` on the monotonic clock."""

    client: WorkspaceClient
    response: StatementResponse
    until: float

    def reader(self) -> pa.RecordBatchReader:
        """Streams the rows with plain types: timestamps in microseconds, UTC."""
        manifest = self.response.manifest
        columns = (manifest and manifest.schema and manifest.schema.columns) or []
        if not columns:
            raise not_fetched(self._id, "its answer names no columns")
        schema = arrow_schema((column.name or "", column.type_text or "STRING") for column in columns)
        return pa.RecordBatchReader.from_batches(schema, self._batches(schema))

    def _batches(self, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """Yields the rows of all chunks; as many as the statement said, or it is an error."""
        manifest, came = self.response.manifest, 0
        said = manifest.total_row_count if manifest else None
        for batch in self._fetched_batches(schema):
            came += len(batch)
            yield batch
        if said is not None and came != said:
            raise not_fetched(self._id, f"{came} of {said} rows came")

    def _fetched_batches(self, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        for link in self._links():
            with pa.ipc.open_stream(BytesIO(self._fetched(link))) as stream:
                if len(stream.schema.names) != len(schema.names):
                    raise not_fetched(self._id, "its answer names other columns than its rows have")
                for batch in stream:
                    renamed = batch.rename_columns(schema.names)
                    yield renamed.cast(schema)

    def _links(self) -> Iterator[ExternalLink]:
        """Yields the link of every chunk; each is asked for just before use, for links live minutes only."""
        first = self.response.result
        links = list((first and first.external_links) or [])
        while links:
            link = links.pop(0)
            yield link
            if not links and link.next_chunk_index is not None:
                links = self._chunk(link.next_chunk_index)

    def _chunk(self, index: int) -> list[ExternalLink]:
        found = self.client.statement_execution.get_statement_result_chunk_n(self._id, index)
        return list(found.external_links or [])

    def _fetched(self, link: ExternalLink) -> bytes:
        """Fetches a chunk without our token; a link that is too old is asked for once more."""
        for attempt in range(_ATTEMPTS):
            if attempt:
                (link,) = self._chunk(link.chunk_index or 0)[:1] or (link,)
                time.sleep(min(2.0**attempt, max(0.0, self.until - time.monotonic())))
            try:
                return self._body(link.external_link or "")
            except (HTTPError, URLError, TimeoutError, ConnectionError) as error:
                if attempt == _ATTEMPTS - 1 or self.until <= time.monotonic():
                    raise not_fetched(self._id, _told(error)) from error
        raise AssertionError("unreachable")

    def _body(self, url: str) -> bytes:
        parts = urlsplit(url)
        if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
            raise not_fetched(self._id, "its link is not https")
        left = max(1.0, self.until - time.monotonic())
        with urlopen(url, timeout=min(60.0, left)) as answer:  # noqa: S310 - the scheme is checked above
            return answer.read()

    @property
    def _id(self) -> str:
        return self.response.statement_id or ""


def _told(error: Exception) -> str:
    """Says what went wrong without the link, which is a secret while it lives."""
    if isinstance(error, HTTPError):
        return f"the storage answered {error.code} {HTTPStatus(error.code).phrase}"
    return type(error).__name__
