"""What the peers share: log lines, ids and times, and the frame around an API's handlers."""

import gc
import hashlib
import hmac
import logging
import os
import re
import sys
import time
import uuid
from datetime import UTC, datetime
from http import HTTPStatus

import orjson
from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException

CORRELATION_ID = re.compile(r"(?!\.{1,2}$)[A-Za-z0-9._-]{1,128}")


class JsonLines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {
            "level": record.levelname,
            "target": record.name,
            "timestamp": datetime.fromtimestamp(record.created, UTC),
            "message": record.msg,
            **record.__dict__.get("fields", {}),
        }
        if record.args:
            line["message"] = record.getMessage()
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return orjson.dumps(line, option=orjson.OPT_UTC_Z).decode()


def start() -> None:
    """Once in each process."""
    start_log()
    # What was loaded is not looked through again, and what a request leaves behind is soon freed without a search.
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def start_log() -> None:
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("joiner").setLevel(logging.INFO)
    # What no line shows is not looked up: https://docs.python.org/3/howto/logging.html#optimization
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = logging.logAsyncioTasks = False


def new_id() -> str:
    """A UUIDv7: sorted by the time that it was made."""
    random = int.from_bytes(os.urandom(10), "big")
    value = (time.time_ns() // 1_000_000) << 80 | random
    value = value & ~(0xF << 76) | 7 << 76
    value = value & ~(0x3 << 62) | 2 << 62
    return str(uuid.UUID(int=value))


class Problem(Exception):
    """An answer that says what went wrong, as RFC 9457 has it."""

    def __init__(self, status: int, code: str, detail: str, *, errors: list | None = None, headers: dict | None = None):
        super().__init__(code)
        self.status, self.code, self.detail = status, code, detail
        self.errors, self.headers = errors, headers

    def response(self, correlation_id: str) -> Response:
        body = {
            "type": f"urn:joiner:problem:{self.code}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "code": self.code,
        }
        if self.errors:
            body["errors"] = self.errors
        body["correlation_id"] = correlation_id
        return Response(orjson.dumps(body), self.status, self.headers, "application/problem+json")


def unavailable(detail: str = "The service can't do this right now. Try again later.") -> Problem:
    return Problem(503, "unavailable", detail, headers={"Retry-After": "5"})


def json_response(body: object, status: int = 200) -> Response:
    return Response(orjson.dumps(body), status, media_type="application/json")


class Api:
    """Lets callers in by their key, answers problems, and writes one line a request."""

    def __init__(self, service: str, keys: str, lifespan):
        self.service = service
        self.log = logging.getLogger("joiner.api")
        self.keys = [hashlib.sha256(key.encode()).digest() for key in re.split(r"[,\s]+", keys) if key]
        # Nothing here is described or traced.
        telemetry = {"tracing": False, "metrics": False, "logs": False}
        self.app = FastAPI(lifespan=lifespan, openapi_url=None, telemetry=telemetry)
        self.app.add_exception_handler(HTTPException, self.framed("$default", no_route, is_open=False))

    def route(self, method: str, path: str, handler, *, is_open: bool = False) -> None:
        # A plain route: the handlers read the request themselves, so FastAPI has nothing to inject.
        self.app.add_route(path, self.framed(path, handler, is_open), [method])

    def framed(self, route: str, handler, is_open: bool):
        async def endpoint(request: Request, *error) -> Response:
            correlation_id = correlation_id_of(request)
            fields = {"method": request.method, "route": route}
            try:
                if not is_open:
                    self.admit(request)
                response = await handler(request, correlation_id, *error)
            except Problem as problem:
                fields["code"] = problem.code
                response = problem.response(correlation_id)
            fields["status"] = response.status_code
            fields["correlation_id"] = correlation_id
            fields["service"] = self.service
            self.log.info("answered", extra={"fields": fields})
            response.raw_headers.append((b"x-correlation-id", correlation_id.encode()))
            return response

        return endpoint

    def admit(self, request: Request) -> None:
        """By hashes, so that it takes as long for every length and prefix."""
        if not self.keys:
            return
        given = request.headers.get("x-api-key")
        if given is None:
            raise Problem(401, "api_key_missing", "Send the API key in the header X-API-Key.")
        given = hashlib.sha256(given.encode()).digest()
        if not any([hmac.compare_digest(key, given) for key in self.keys]):
            raise Problem(403, "api_key_wrong", "This API key is not the right one.")


def correlation_id_of(request: Request) -> str:
    """The caller's if it is one, else a new one."""
    given = request.headers.get("x-correlation-id")
    return given if given and CORRELATION_ID.fullmatch(given) else new_id()


async def no_route(_request: Request, _correlation_id: str, error: HTTPException) -> Response:
    if error.status_code == 405:
        allow = error.headers["Allow"]
        raise Problem(405, "method_not_allowed", f"This path answers {allow} only.", headers={"Allow": allow})
    raise Problem(404, "route_not_found", "There is nothing at this path.")
