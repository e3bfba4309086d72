"""What every answer carries, whom the site answers, and the page's files; over ASGI, without broker or database."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from dashboard_api.edge import Edge
from dashboard_api.page import page
from dashboard_api.rest import create_rest
from dashboard_api.settings import Settings
from dashboard_api.site import Site
from starlette.applications import Starlette
from starlette.routing import Mount


@pytest.fixture
def built(tmp_path: Path) -> Path:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<title>Open Nof1</title>")
    (tmp_path / "assets" / "index-5f3a.js").write_text("export {}")
    (tmp_path / "favicon.svg").write_text("<svg/>")
    return tmp_path


async def get(folder: Path | None, path: str, *, host: str = "127.0.0.1:8080", hosts: Any = None) -> httpx.Response:
    rest = create_rest(Site(Settings(web_dir=folder)))
    rest.mount("/", page(folder))
    app = Edge(Starlette(routes=[Mount("/", rest)]), hosts=hosts or Settings().hosts)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8080") as client:
        return await client.get(path, headers={"host": host})


@pytest.mark.parametrize(
    ("path", "cached"),
    [
        ("/", "no-cache"),
        ("/models/trend-1", "no-cache"),
        ("/favicon.svg", "no-cache"),
        ("/assets/index-5f3a.js", "public, max-age=31536000, immutable"),
    ],
)
async def test_the_page_is_never_stale_and_its_named_assets_are_kept(built: Path, path: str, cached: str) -> None:
    answer = await get(built, path)

    assert (answer.status_code, answer.headers["cache-control"]) == (200, cached)


async def test_the_pages_own_screens_are_the_page(built: Path) -> None:
    assert (await get(built, "/leaderboard")).text == "<title>Open Nof1</title>"


@pytest.mark.parametrize("path", ["/assets/gone.js", "/..%2f..%2fetc%2fpasswd.txt", "/%2e%2e/secret.txt"])
async def test_a_missing_or_outside_file_is_not_there(built: Path, path: str) -> None:
    (built.parent / "secret.txt").write_text("no")

    assert (await get(built, path)).status_code == 404


async def test_an_unbuilt_page_says_how_to_build_it(tmp_path: Path) -> None:
    answer = await get(tmp_path, "/")

    assert answer.status_code == 503
    assert "make web" in answer.text
    assert answer.headers["content-type"].startswith("text/plain")


@pytest.mark.parametrize("path", ["/", "/assets/index-5f3a.js", "/api/nothing", "/openapi.json"])
async def test_every_answer_carries_the_security_headers(built: Path, path: str) -> None:
    headers = (await get(built, path)).headers

    assert "script-src" not in headers["content-security-policy"]  # so default-src 'self' holds for scripts
    assert "default-src 'self'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert "access-control-allow-origin" not in headers


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:8080", 200),
        ("127.0.0.1", 200),
        ("[::1]:8080", 200),
        ("evil.example", 421),
        ("127.0.0.1.nip.io", 421),
    ],
)
async def test_only_its_own_host_names_are_answered(built: Path, host: str, status: int) -> None:
    assert (await get(built, "/", host=host)).status_code == status


async def test_probes_are_answered_whatever_the_host(built: Path) -> None:
    assert (await get(built, "/healthz", host="10.1.2.3:8080")).status_code != 421


async def test_any_host_is_answered_where_a_proxy_checks(built: Path) -> None:
    assert (await get(built, "/", host="arena.example", hosts=("*",))).status_code == 200


async def test_a_bug_is_a_problem_that_tells_nothing(built: Path) -> None:
    rest = create_rest(Site(Settings(web_dir=built)))  # never opened: it has no board
    transport = httpx.ASGITransport(rest, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
        answer = await client.get("/portfolios")

    assert (answer.status_code, answer.headers["content-type"]) == (500, "application/problem+json")
    assert "Site" not in answer.text
