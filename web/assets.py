"""Built files that a page is made of, under the page's own policy."""

from collections.abc import Mapping
from pathlib import Path

from starlette.responses import FileResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Message, Receive, Scope, Send


class Assets(StaticFiles):
    """`policy` is a Content-Security-Policy. Browsers keep the files, but ask whether they are still so."""

    def __init__(self, directory: Path, *, policy: str) -> None:
        super().__init__(directory=directory)
        self._directory = directory
        self._headers: Mapping[str, str] = {"Content-Security-Policy": policy, "Cache-Control": "no-cache"}

    def page(self) -> Response:
        return FileResponse(self._directory / "index.html", headers=self._headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                extra = [(name.lower().encode(), value.encode()) for name, value in self._headers.items()]
                message["headers"] = [*message["headers"], *extra]
            await send(message)

        await super().__call__(scope, receive, with_policy)
