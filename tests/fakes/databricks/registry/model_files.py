"""The Files API below `/Models`: how MLflow moves the files of a model version."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fakes.databricks.web.messages import Answer, Request, missing
from fakes.databricks.web.routing import Routes

from .models import Models

_FILES, _FOLDERS = "/api/2.0/fs/files", "/api/2.0/fs/directories"


class ModelFiles:
    """Files of model versions, `/Models/<catalog>/<schema>/<model>/<version>/...`.

    Downloads go through a presigned address of the storage, as those of the SDK do.
    """

    def __init__(self, models: Models, host: Callable[[], str]) -> None:
        self._models = models
        self._host = host

    def add_routes(self, routes: Routes) -> None:
        """Adds what the SDK calls."""
        routes.add("POST", "/api/2.0/fs/create-download-url", self._presign)
        routes.add("GET", "/storage/Models/{path:path}", self._download, is_open=True)
        routes.add("PUT", f"{_FILES}/Models/{{path:path}}", self._upload)
        routes.add("GET", f"{_FILES}/Models/{{path:path}}", self._download)
        routes.add("HEAD", f"{_FILES}/Models/{{path:path}}", self._download)
        routes.add("HEAD", f"{_FOLDERS}/Models/{{path:path}}", self._is_folder)
        routes.add("GET", f"{_FOLDERS}/Models/{{path:path}}", self._list)

    def _place(self, request: Request) -> Path:
        """Returns where a file lies; its model version has to be registered."""
        catalog, schema, model, version, *rest = request.params["path"].split("/")
        name = f"{catalog}.{schema}.{model}"
        self._models.need(name, version)
        if any(part in {"", ".", ".."} for part in rest):
            raise missing(f"No such file: {request.path}")
        return self._models.folder(name, int(version)).joinpath(*rest)

    def _presign(self, request: Request) -> dict[str, Any]:
        path = request.query["path"]
        return {"url": f"{self._host()}/storage{quote(path)}?signature=fake", "headers": []}

    def _upload(self, request: Request) -> Answer:
        place = self._place(request)
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(request.body)
        return Answer(204, b"")

    def _download(self, request: Request) -> Answer:
        place = self._place(request)
        if not place.is_file():
            raise missing(f"No such file: {request.path}")
        return Answer(200, place.read_bytes(), content_type="application/octet-stream")

    def _is_folder(self, request: Request) -> Answer:
        if not self._place(request).is_dir():
            raise missing(f"No such directory: {request.path}")
        return Answer(200, b"")

    def _list(self, request: Request) -> dict[str, Any]:
        place = self._place(request)
        if not place.is_dir():
            raise missing(f"No such directory: {request.path}")
        above = request.path.removeprefix(_FOLDERS)
        return {
            "contents": [
                {
                    "path": f"{above}/{each.name}",
                    "name": each.name,
                    "is_directory": each.is_dir(),
                    "file_size": 0 if each.is_dir() else each.stat().st_size,
                    "last_modified": int(each.stat().st_mtime * 1000),
                }
                for each in sorted(place.iterdir())
            ]
        }
