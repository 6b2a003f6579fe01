"""The pages as one application: login, guards, and Gradio with a room for each page.

Reads   the store and the settings.
Gives   `create_ui`: a FastAPI application to run under any ASGI server.
Never   offers a handler as a public endpoint; never asks anything of another host.

Gradio carries each page as one `gr.HTML` whose only way to the server is the private function
`serve`; who is asking is read from the signed cookie inside the transaction that answers.
"""

from __future__ import annotations

import secrets
import warnings
from typing import Any

from fastapi import FastAPI
from fastapi.responses import Response
from starlette.requests import Request

from intel_ml.data.store.sessions import Store
from intel_ml.surfaces.platform import limits_of
from intel_ml.surfaces.settings import Settings
from intel_ml.surfaces.ui.guards import Guards
from intel_ml.surfaces.ui.pages import Pages
from intel_ml.surfaces.ui.people import Door, routes
from intel_ml.surfaces.ui.shell import PAGES
from intel_ml.surfaces.ui.theme import ICON, NAME

_READY = "window.intel.ready(element, server)"
_FACES = ["system-ui", "sans-serif"]
_MONO = ["ui-monospace", "monospace"]


def create_ui(store: Store, settings: Settings) -> FastAPI:
    """Return the application with its pages at `/`, `/dashboard`, `/history` and `/rules`."""
    import gradio as gr  # noqa: PLC0415  # heavy: only the pages' own process loads it

    secret = settings.intel_session_secret
    door = Door(store, secret.get_secret_value() if secret else secrets.token_urlsafe(32))
    pages = Pages(door, limits_of(settings), settings.enable_action_executor)
    app: FastAPI = FastAPI(title=NAME, docs_url=None, redoc_url=None, openapi_url=None)
    app.include_router(routes(door))
    _add_small_routes(app)
    blocks = _blocks(pages)
    with warnings.catch_warnings():
        # It warns that it turns off, for several pages, what is turned off here anyway.
        warnings.filterwarnings("ignore", message="SSR mode", category=UserWarning)
        gr.mount_gradio_app(
            app,
            blocks,
            path="/",
            auth_dependency=door.name_of,
            theme=gr.themes.Default(font=_FACES, font_mono=_MONO),
            ssr_mode=False,
            run_history=False,
            footer_links=[],
            show_error=False,
            mcp_server=False,
        )

    def first(request: Request) -> str:
        return pages.first(request.url.path, request.query_params, request.cookies)

    app.add_middleware(Guards, first=first)
    return app


def _blocks(pages: Pages) -> Any:
    import gradio as gr  # noqa: PLC0415  # heavy: only the pages' own process loads it

    def serve(sent: Any, request: gr.Request) -> dict[str, Any]:
        """Answer one look or decision of the person whose cookie came with it."""
        return pages.answer(sent, request.cookies)

    serve.__annotations__["request"] = gr.Request

    def place() -> None:
        gr.HTML("", js_on_load=_READY, server_functions=[serve], apply_default_css=False)

    with gr.Blocks(title=NAME, analytics_enabled=False, fill_width=True) as demo:
        gr.Navbar(visible=False)
        place()
    for path, name in PAGES.items():
        if path != "/":
            with demo.route(name, path):
                place()
    return demo


def _add_small_routes(app: FastAPI) -> None:
    @app.get("/healthz", include_in_schema=False)
    def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/icon.svg", include_in_schema=False)
    def icon() -> Response:
        return Response(ICON, media_type="image/svg+xml")

    @app.get("/favicon.ico", include_in_schema=False)
    def favicon() -> Response:
        return Response(ICON, media_type="image/svg+xml")
