"""People, requests and the cache in Redis: keys and scripts are those of shared/onboarding/src/store/redis.rs."""

import asyncio
import logging
import os
from functools import wraps

import orjson
from redis import exceptions
from redis.asyncio import Redis
from redis.exceptions import NoScriptError, RedisError

from person import Draft, has_left, user_of

USERS = "joiner:{users}:user"
ENTRIES = "joiner:{users}:entries"
HISTORY = "joiner:{users}:history"
ALL = "joiner:{users}:all"
CACHE_SECONDS = 60
TOMBSTONE = b""
TOMBSTONE_SECONDS = 5
REQUEST_SECONDS = 30 * 24 * 60 * 60

# More people than this with one address are a mistake of HR's.
NAMESAKES = 10

# Compare and set. KEYS: the person, their entries, their history, the indexes to leave, the indexes to enter. ARGV:
# what was read or "", what is written, the new value, the id, how many indexes to leave, how many entries, and for each
# of them its event's id, its value and its sequence or "".
COMMIT = """
local stored = redis.call('HGET', KEYS[1], 'version') or ''
if stored ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'version', ARGV[2], 'value', ARGV[3])
local leave = tonumber(ARGV[5])
for i = 4, 3 + leave do redis.call('ZREM', KEYS[i], ARGV[4]) end
for i = 4 + leave, #KEYS do redis.call('ZADD', KEYS[i], 0, ARGV[4]) end
for i = 7, 6 + 3 * tonumber(ARGV[6]), 3 do
    redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1])
    if ARGV[i + 2] == '' then redis.call('ZREM', KEYS[3], ARGV[i])
    else redis.call('ZADD', KEYS[3], ARGV[i + 2], ARGV[i]) end
end
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


def indexes(user: dict | None) -> list[str]:
    """Somebody who was forgotten is in none."""
    if user is None:
        return []
    keys = [ALL]
    if user["email"] is not None:
        keys.append(email_index(user["email"]))
    if user["department"] is not None:
        keys.append(f"joiner:{{users}}:department:{user['department'].lower()}")
    return keys


def email_index(email: str) -> str:
    return f"joiner:{{users}}:email:{email.lower()}"


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
        self.commit_sha = await self.redis.script_load(COMMIT)
        self.record_sha = await self.redis.script_load(RECORD)

    @bounded
    async def person(self, user_id: str) -> bytes | None:
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
            users += [user for person in await self.people_of(ids) if (user := user_of(person)) is not None]
            if len(ids) < wanted:
                break
        return users

    async def people_of(self, ids: list[bytes]) -> list[dict]:
        """Those of them who are there."""
        pipeline = self.redis.pipeline(transaction=False)
        for user_id in ids:
            pipeline.hget(user_key(user_id.decode()), "value")
        return [orjson.loads(value) for value in await pipeline.execute() if value is not None]

    @bounded
    async def employed_with(self, email: str) -> list[dict]:
        """Some of those who have this address and have not left."""
        ids = await self.redis.zrangebylex(email_index(email), "-", "+", 0, NAMESAKES)
        found = await self.people_of(ids) if ids else []
        return [person for person in found if not has_left(person)]

    @bounded
    async def accept(self, user_id: str, event_id: str, correlation_id: str, event: dict) -> tuple:
        """Notes that the event was read, and reads its person and then its entry on the same way: who writes in between
        writes both, so that the person is not as they were read when they are committed."""
        pipeline = self.redis.pipeline(transaction=False)
        pipeline.hget(user_key(user_id), "value")
        pipeline.hget(f"{ENTRIES}:{user_id}", event_id)
        pipeline.evalsha(self.record_sha, *record_arguments(correlation_id, event))
        try:
            person, entry, _ = await pipeline.execute()
        except NoScriptError:
            await self.open()
            return await self.accept(user_id, event_id, correlation_id, event)
        return person, entry

    @bounded
    async def person_and_entry(self, user_id: str, event_id: str) -> tuple:
        pipeline = self.redis.pipeline(transaction=False)
        pipeline.hget(user_key(user_id), "value")
        pipeline.hget(f"{ENTRIES}:{user_id}", event_id)
        return tuple(await pipeline.execute())

    @bounded
    async def entries(self, user_id: str) -> list[bytes]:
        return await self.redis.hvals(f"{ENTRIES}:{user_id}")

    @bounded
    async def commit(self, draft: Draft) -> bool:
        """Whether person and entry were written: another may have written the person since they were read."""
        person, entry = draft.person, draft.entry
        user_id = person["id"]
        leave = indexes(draft.before)
        keys = [user_key(user_id), f"{ENTRIES}:{user_id}", f"{HISTORY}:{user_id}", *leave, *indexes(draft.after)]
        arguments = [draft.read, f"w{person['writes']}", orjson.dumps(person), user_id, len(leave), 1]
        arguments += [entry["event_id"], orjson.dumps(entry), entry["sequence"]]
        try:
            return bool(await self.redis.evalsha(self.commit_sha, len(keys), *keys, *arguments))
        except NoScriptError:
            await self.open()
            return await self.commit(draft)

    @bounded
    async def record(self, correlation_id: str, event: dict) -> None:
        try:
            await self.redis.evalsha(self.record_sha, *record_arguments(correlation_id, event))
        except NoScriptError:
            await self.open()
            await self.record(correlation_id, event)


def record_arguments(correlation_id: str, event: dict) -> tuple:
    # What separates the two is escaped in the first, so that no two pairs have one name.
    employee_id = event["employee_id"].replace("%", "%25").replace("#", "%23")
    name = f"{employee_id}#{event['event_id']}"
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
