"""Wires the public site. Run: `python -m dashboard_api`."""

from chassis.service import stage_app
from starlette.applications import Starlette
from starlette.routing import Mount, Route, WebSocketRoute

from dashboard_api.edge import Edge
from dashboard_api.handlers import DURABLE, ReadModel
from dashboard_api.page import page
from dashboard_api.rest import create_rest
from dashboard_api.schema import Endpoint
from dashboard_api.settings import Settings
from dashboard_api.site import Site


def create_app(settings: Settings | None = None) -> Starlette:
    settings = settings or Settings()
    site = Site(settings)
    rest, graphql = create_rest(site), Endpoint(site)
    rest.mount("/", page(settings.web_dir))
    app = stage_app(
        "dashboard-api",
        settings,
        topics=DURABLE,
        stage=ReadModel(),
        background=[site.open],
        routes=[
            WebSocketRoute("/ws", site.serve),
            WebSocketRoute("/graphql", graphql),
            Route("/graphql", graphql),
            Mount("/", rest),
        ],
    )
    app.add_middleware(Edge, hosts=settings.hosts)
    app.state.site = site
    return app
