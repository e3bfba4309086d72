"""Errors as problem documents (RFC 9457) that name the field and the rule."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from dashboard_api.queries import BadCursor


class Broken(BaseModel):
    field: str
    rule: str


class Problem(BaseModel):
    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[Broken] = []


def problem(status: int, detail: str, errors: Sequence[Broken] = (), headers: Any = None) -> JSONResponse:
    body = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, errors=list(errors))
    return JSONResponse(body.model_dump(), status, headers, media_type="application/problem+json")


def install(app: FastAPI) -> None:
    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        broken = [Broken(field=".".join(map(str, entry["loc"])), rule=entry["msg"]) for entry in error.errors()]
        return problem(422, "the request breaks a rule", broken)

    @app.exception_handler(BadCursor)
    async def bad_cursor(_: Request, error: BadCursor) -> JSONResponse:
        return problem(422, "the request breaks a rule", [Broken(field="query.after", rule=str(error))])

    @app.exception_handler(HTTPException)
    async def refused(_: Request, error: HTTPException) -> JSONResponse:
        return problem(error.status_code, str(error.detail), headers=error.headers)

    @app.exception_handler(Exception)
    async def bug(_: Request, __: Exception) -> JSONResponse:
        return problem(500, "this is our mistake; it is logged")

    @app.exception_handler(TimeoutError)
    async def too_slow(_: Request, __: TimeoutError) -> JSONResponse:
        return problem(503, "the database took too long; ask for less, or again later", headers={"retry-after": "5"})


RESPONSES: dict[int | str, dict[str, Any]] = {
    422: {"model": Problem, "description": "A field breaks a rule", "content": {"application/problem+json": {}}}
}
NOT_FOUND: dict[int | str, dict[str, Any]] = {
    404: {"model": Problem, "description": "There is none of that name", "content": {"application/problem+json": {}}}
}
