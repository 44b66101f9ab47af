"""`GET /v1/users/{id}` through the cache, and `GET /v1/users` by pages."""

import base64
import hashlib
import hmac
import logging
import os
import re
from contextlib import asynccontextmanager
from urllib.parse import urlencode

import orjson
from fastapi import FastAPI, Request, Response
from redis.exceptions import RedisError

import contracts
from api import Api, Problem, json_response, start, unavailable
from person import user_of
from store import Cache, Store

# Without a filter, as shared/onboarding writes it: a cursor is good for the query that it was made for only.
QUERY = b'["users",null,null]'
TAG = 16

log = logging.getLogger("joiner.query")


class Signer:
    def __init__(self, key: str):
        if len(key) < 32:
            raise SystemExit("CURSOR_KEY must be a secret of at least 32 characters.")
        self.key = key.encode()

    def tag(self, position: bytes) -> bytes:
        signed = len(QUERY).to_bytes(8, "big") + QUERY + position
        return hmac.digest(self.key, signed, hashlib.sha256)[:TAG]

    def seal(self, position: str) -> str:
        sealed = self.tag(position.encode()) + position.encode()
        return base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()

    def open(self, cursor: str) -> str:
        try:
            sealed = base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True)
        except ValueError:
            sealed = b""
        tag, position = sealed[:TAG], sealed[TAG:]
        if not hmac.compare_digest(tag, self.tag(position)):
            detail = "Start over without a cursor: the cursor is not one that this query returned."
            raise Problem(400, "invalid_cursor", detail)
        return position.decode()


store = Store(os.environ["STORAGE_URL"])
cache = Cache(os.environ["CACHE_URL"])
signer = Signer(os.environ["CURSOR_KEY"])


@asynccontextmanager
async def lifespan(_app: FastAPI):
    start()
    yield
    await store.redis.aclose()
    await cache.redis.aclose()


async def show(request: Request, _correlation_id: str) -> Response:
    user_id = request.path_params["id"]
    user = await find(user_id) if contracts.is_employee_id(user_id) else None
    if user is None:
        raise Problem(404, "user_not_found", "There is no user with this id.")
    return Response(user, media_type="application/json")


async def find(user_id: str) -> bytes | None:
    """The user's JSON, as it is sent: what comes from the cache is not parsed again."""
    cached = await cache.get(user_id)
    if cached is not None:
        return cached
    try:
        stored = await store.person(user_id)
    except RedisError as error:
        raise away(error) from None
    user = user_of(stored and orjson.loads(stored))
    if user is None:
        return None
    user = orjson.dumps(user)
    await cache.fill(user_id, user)
    return user


async def page(request: Request, _correlation_id: str) -> Response:
    limit = limit_of(request)
    cursor = request.query_params.get("cursor")
    after = signer.open(cursor) if cursor else None
    try:
        # One more than asked for tells whether there is a next page.
        users = await store.users_after(after, limit + 1)
    except RedisError as error:
        raise away(error) from None
    if len(users) <= limit:
        return json_response({"users": users, "next_cursor": None})
    next_cursor = signer.seal(users[limit - 1]["id"])
    response = json_response({"users": users[:limit], "next_cursor": next_cursor})
    query = urlencode({**request.query_params, "cursor": next_cursor})
    response.headers["Link"] = f'</v1/users?{query}>; rel="next"'
    return response


def limit_of(request: Request) -> int:
    given = request.query_params.get("limit", "50")
    if not re.fullmatch(r"[1-9]\d?|100", given, re.ASCII):
        raise Problem(400, "invalid_parameter", "`limit` must be a number from 1 to 100.")
    return int(given)


def away(error: RedisError) -> Problem:
    log.error("a query was not answered", extra={"fields": {"error": repr(error), "service": api.service}})
    return unavailable()


async def healthz(_request: Request, _correlation_id: str) -> Response:
    try:
        await store.redis.ping()
    except RedisError as error:
        raise away(error) from None
    return json_response({"status": "up"})


api = Api("user-query", os.environ.get("API_KEY", ""), lifespan)
api.route("GET", "/v1/users/{id}", show)
api.route("GET", "/v1/users", page)
api.route("GET", "/v1/healthz", healthz, is_open=True)
app = api.app
