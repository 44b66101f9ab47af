"""Users, requests and the cache in Redis: keys and scripts are those of shared/onboarding/src/store/redis.rs."""

import asyncio
import logging
import os
from functools import wraps

import orjson
from redis import exceptions
from redis.asyncio import Redis
from redis.exceptions import NoScriptError, RedisError

USERS = "joiner:{users}:user"
ALL = "joiner:{users}:all"
CACHE_SECONDS = 60
TOMBSTONE = b""
TOMBSTONE_SECONDS = 5
REQUEST_SECONDS = 30 * 24 * 60 * 60

# Compare and set. KEYS: the user, the indexes to leave, the indexes to enter. ARGV: the version that was read or "",
# the new version, the new value, the id, how many indexes to leave.
SAVE = """
local stored = redis.call('HGET', KEYS[1], 'version') or ''
if stored ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'version', ARGV[2], 'value', ARGV[3])
local leave = tonumber(ARGV[5])
for i = 2, 1 + leave do redis.call('ZREM', KEYS[i], ARGV[4]) end
for i = 2 + leave, #KEYS do redis.call('ZADD', KEYS[i], 0, ARGV[4]) end
return 1
"""

# States only move forward. KEYS: the request. ARGV: the event, its new status, its new value, the seconds to keep.
RECORD = """
local stored = redis.call('HGET', KEYS[1], ARGV[1])
if stored and (ARGV[2] == 'accepted' or cjson.decode(stored).status == 'enriched') then return 0 end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[4])
return 1
"""

log = logging.getLogger("joiner.store")


def user_key(user_id: str) -> str:
    return f"{USERS}:{user_id}"


def indexes(user: dict) -> list[str]:
    keys = [ALL, f"joiner:{{users}}:email:{user['email'].lower()}"]
    if user["department"] is not None:
        keys.append(f"joiner:{{users}}:department:{user['department'].lower()}")
    return keys


def bounded(operation):
    """One limit for the whole of it: redis-py's own takes a task for each command and a timer for each answer."""

    @wraps(operation)
    async def within(self, *arguments):
        try:
            async with asyncio.timeout(self.seconds):
                return await operation(self, *arguments)
        except TimeoutError:
            raise exceptions.TimeoutError(f"no answer within {self.seconds} s") from None

    return within


class Store:
    seconds = 3

    def __init__(self, url: str):
        self.redis = Redis.from_url(url, socket_timeout=None)

    async def open(self) -> None:
        self.save_sha = await self.redis.script_load(SAVE)
        self.record_sha = await self.redis.script_load(RECORD)

    @bounded
    async def user(self, user_id: str) -> bytes | None:
        return await self.redis.hget(user_key(user_id), "value")

    @bounded
    async def users_after(self, after: str | None, limit: int) -> list[dict]:
        users = []
        start = f"({after}" if after else "-"
        while len(users) < limit:
            wanted = limit - len(users)
            ids = await self.redis.zrangebylex(ALL, start, "+", 0, wanted)
            if not ids:
                break
            start = b"(" + ids[-1]
            pipeline = self.redis.pipeline(transaction=False)
            for user_id in ids:
                pipeline.hget(user_key(user_id.decode()), "value")
            users += [orjson.loads(value)["user"] for value in await pipeline.execute() if value is not None]
            if len(ids) < wanted:
                break
        return users

    @bounded
    async def accept(self, user_id: str, correlation_id: str, event: dict) -> bytes | None:
        """Notes that the event was read, and reads its user on the same way."""
        pipeline = self.redis.pipeline(transaction=False)
        pipeline.hget(user_key(user_id), "value")
        pipeline.evalsha(self.record_sha, *record_arguments(correlation_id, event))
        try:
            return (await pipeline.execute())[0]
        except NoScriptError:
            await self.open()
            return await self.accept(user_id, correlation_id, event)

    @bounded
    async def save(self, new: dict, read: dict | None) -> bool:
        """Whether the user was written: another may have done so since it was read."""
        user = new["user"]
        leave = indexes(read["user"]) if read else []
        keys = [user_key(user["id"]), *leave, *indexes(user)]
        version = read["user"]["version"] if read else ""
        arguments = [version, user["version"], orjson.dumps(new), user["id"], len(leave)]
        try:
            return bool(await self.redis.evalsha(self.save_sha, len(keys), *keys, *arguments))
        except NoScriptError:
            await self.open()
            return await self.save(new, read)

    @bounded
    async def record(self, correlation_id: str, event: dict) -> None:
        try:
            await self.redis.evalsha(self.record_sha, *record_arguments(correlation_id, event))
        except NoScriptError:
            await self.open()
            await self.record(correlation_id, event)


def record_arguments(correlation_id: str, event: dict) -> tuple:
    name = f"{event['employee_id']}#{event['event_id']}"
    value = orjson.dumps(event)
    return 1, f"joiner:{{requests}}:{correlation_id}", name, event["status"], value, REQUEST_SECONDS


class Cache:
    """Away, it is a miss."""

    seconds = int(os.environ.get("CACHE_TIMEOUT_MS", "100")) / 1000

    def __init__(self, url: str):
        self.redis = Redis.from_url(url, socket_timeout=None)

    async def get(self, user_id: str) -> bytes | None:
        try:
            return await self.read(user_id) or None
        except RedisError as error:
            log.warning("a cache read counts as a miss", extra={"fields": {"error": repr(error)}})
            return None

    async def fill(self, user_id: str, user: bytes) -> None:
        """Unless the key was written to meanwhile: then it has a value or a tombstone."""
        try:
            await self.write(user_id, user, CACHE_SECONDS, True)
        except RedisError as error:
            log.warning("a value could not be cached", extra={"fields": {"error": repr(error)}})

    async def invalidate(self, user_id: str) -> None:
        try:
            await self.write(user_id, TOMBSTONE, TOMBSTONE_SECONDS, False)
        except RedisError as error:
            log.warning("a cached value could not be invalidated", extra={"fields": {"error": repr(error)}})

    @bounded
    async def read(self, user_id: str) -> bytes | None:
        return await self.redis.get(f"user:{user_id}")

    @bounded
    async def write(self, user_id: str, value: bytes, seconds: int, unless_present: bool) -> None:
        await self.redis.set(f"user:{user_id}", value, ex=seconds, nx=unless_present)
