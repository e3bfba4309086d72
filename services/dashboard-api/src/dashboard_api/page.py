"""Serves the built page."""

from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

_YEAR = "public, max-age=31536000, immutable"
_NOT_BUILT = """The web page is not built.

Build it with `make web`, or name the folder of a built one in DASHBOARD_API_WEB_DIR.
The data is here all the same: /portfolios, /metrics/system, /metrics/models, /api/, /graphql and /ws.
"""


class Page(StaticFiles):
    """A path without a file is one of the page's own screens; a missing file stays missing."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        try:
            response = await super().get_response(path, scope)
        except HTTPException as error:
            if error.status_code != 404 or Path(path).suffix:
                raise
            path = "index.html"
            response = await super().get_response(path, scope)
        # Vite names what stands in assets/ after its content
        response.headers["cache-control"] = _YEAR if path.startswith("assets/") else "no-cache"
        return response


async def _not_built(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["method"] not in ("GET", "HEAD"):
        raise HTTPException(405)
    await PlainTextResponse(_NOT_BUILT, status_code=503)(scope, receive, send)


def page(folder: Path | None) -> ASGIApp:
    if folder is None or not (folder / "index.html").is_file():
        return _not_built
    return Page(directory=folder, html=True)
