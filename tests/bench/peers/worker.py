"""Enriches people: from the topic, by Okta, to the store."""

import asyncio
import logging
import os
import re
import signal
import time
from collections import defaultdict

import orjson
import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord
from aiokafka.errors import CommitFailedError, KafkaError, MessageSizeTooLargeError
from pydantic import ValidationError
from redis.exceptions import RedisError

from api import start, timestamp
from contracts import EnrichmentRequested, nanos
from okta import Okta, OktaError
from store import Cache, Store

# Enough to recognise an HR system's repeats, which come within minutes; the times sort out older ones.
REMEMBERED = 32
ROUNDS = 3
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")

log = logging.getLogger("joiner.worker")


class Failed(Exception):
    """It will not succeed: the record becomes a dead letter."""

    def __init__(self, reason: str, message: str, attempts: int = 1):
        super().__init__(message)
        self.reason, self.attempts = reason, attempts


class Contended(Exception):
    """Others kept writing the same user."""


def decode(value: bytes | None) -> EnrichmentRequested:
    if value is None:
        raise Failed("undecodable", "the record has no value")
    try:
        return EnrichmentRequested.model_validate_json(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
    if first["type"] == "json_invalid":
        line, column = re.search(r"line (\d+) column (\d+)", first["msg"]).groups()
        raise Failed("undecodable", f"not JSON: line {line}, column {column}")
    # What is missing is wrong where it should be.
    place = first["loc"][:-1] if first["type"] == "missing" else first["loc"]
    path = ".".join(map(str, place)) or "."
    raise Failed("invalid", f"not an enrichment request: wrong or incomplete at {path}")


def stored_user(value: bytes | None) -> dict | None:
    try:
        return orjson.loads(value) if value else None
    except orjson.JSONDecodeError:
        raise Failed("unstorable", "the store can't hold this") from None


def decide(last: dict | None, event: EnrichmentRequested) -> str:
    if last is None:
        return "applied"
    if event.event_id in last["recent"]:
        return "duplicate"
    # HR systems tell time by the second or not at all: what occurred at one instant counts as it was received.
    newest = nanos(last["occurred_at"]), nanos(last["received_at"])
    return "applied" if (event.occurred_at, event.received_at) >= newest else "superseded"


def merge(event: EnrichmentRequested, directory: tuple | None, previous: dict | None) -> dict:
    """HR wins on what HR owns; Okta supplies the rest. `directory` is None for a leaver whose account is gone."""
    employee = event.employee
    account, groups, apps = directory or (None, [], [])
    has_left = event.event_type == "terminated" or (employee.status or "").lower() in (
        "terminated",
        "inactive",
        "former",
    )
    user = {
        "id": employee.id,
        "name": employee.preferred_name or text(f"{employee.first_name} {employee.last_name}") or employee.last_name,
        "email": employee.email,
        "title": employee.title or text(account and account.profile.title),
        "department": employee.department or text(account and account.profile.department),
        "managerEmail": employee.manager_email,
        "startDate": employee.start_date,
        "endDate": employee.end_date,
        "employmentStatus": "terminated" if has_left else "employed",
        "onboarded": account is not None and account.status == "ACTIVE" and not has_left,
        "oktaId": account and account.id,
        "oktaStatus": account and account.status,
        "groups": [
            {"id": group.id, "name": group.profile.name}
            for group in sorted(groups, key=lambda group: (group.profile.name, group.id))
        ],
        "applications": [
            {"id": app.app_instance_id, "name": app.app_name, "label": app.label}
            for app in sorted(apps, key=lambda app: (app.label, app.app_instance_id))
        ],
        "details": employee.details.model_dump(by_alias=True, exclude_none=True),
        "version": previous["user"]["version"] + 1 if previous else 1,
        "updatedAt": timestamp(time.time_ns()),
        "correlationId": event.correlation_id,
    }
    recent = previous["last"]["recent"] if previous else []
    last = {
        "occurred_at": timestamp(event.occurred_at),
        "received_at": timestamp(event.received_at),
        "recent": [*recent[-(REMEMBERED - 1) :], event.event_id],
    }
    return {"user": user, "last": last}


def text(value: str | None) -> str | None:
    """Okta's fields are free text; what is no text to us is as good as absent."""
    value = (value or "").strip()
    return value if 0 < len(value) <= 256 and not CONTROL.search(value) else None


def request_event(event: EnrichmentRequested, **state) -> dict:
    return {
        "event_id": event.event_id,
        "employee_id": event.employee.id,
        "updated_at": timestamp(time.time_ns()),
        **state,
    }


class Worker:
    def __init__(self, store: Store, cache: Cache, okta: Okta, producer: AIOKafkaProducer, failed_topic: str):
        self.store, self.cache, self.okta, self.producer = store, cache, okta, producer
        self.failed_topic = failed_topic

    async def work(self, batch: dict, people_at_once: int) -> None:
        """Events of one key one after the other, others at the same time."""
        lanes = defaultdict(list)
        for partition, records in batch.items():
            for record in records:
                # Without a key there is no order to keep.
                lanes[partition, record.key or record.offset].append(record)
        waiting = iter(lanes.values())

        async def take_lanes() -> None:
            for lane in waiting:
                for record in lane:
                    await self.enrich(record)

        async with asyncio.TaskGroup() as tasks:
            for _ in range(min(people_at_once, len(lanes))):
                tasks.create_task(take_lanes())

    async def enrich(self, record: ConsumerRecord) -> None:
        """Returns once the record is done with, as a stored user or a dead letter."""
        headers = {name: value.decode(errors="replace") for name, value in record.headers}
        fields = {
            "correlation_id": headers.get("correlation-id"),
            "event_id": headers.get("event-id"),
            "topic": record.topic,
            "partition": record.partition,
            "offset": record.offset,
            "service": "enrichment",
        }
        while True:
            try:
                try:
                    outcome = await self.apply(record.value)
                    log.info("enriched", extra={"fields": {"outcome": outcome, **fields}})
                except Failed as failed:
                    log.warning(
                        "made a dead letter",
                        extra={"fields": {"reason": failed.reason, "error": str(failed), **fields}},
                    )
                    await self.dead_letter(record, failed)
                return
            except (RedisError, KafkaError, Contended) as error:
                log.warning("the record is tried again", extra={"fields": {"error": repr(error), **fields}})
                await asyncio.sleep(1)

    async def apply(self, value: bytes | None) -> str:
        event = decode(value)
        user_id = event.employee.id
        accepted = request_event(event, status="accepted")
        stored = stored_user(await self.store.accept(user_id, event.correlation_id, accepted))
        # Decided before Okta is asked: a repeat costs nothing of its rate limit.
        outcome = decide(stored and stored["last"], event)
        if outcome == "applied":
            outcome = await self.save(event, await self.look_up(event), stored)
        # Also for a duplicate: its first delivery may have ended between the write and this line.
        await self.cache.invalidate(user_id)
        await self.store.record(event.correlation_id, request_event(event, status="enriched", outcome=outcome))
        return outcome

    async def look_up(self, event: EnrichmentRequested) -> tuple | None:
        try:
            directory = await self.okta.directory(event.employee.email)
        except OktaError as error:
            raise Failed(error.reason, str(error), error.attempts) from None
        # Accounts are often deleted before HR closes the record.
        if directory is None and event.event_type != "terminated":
            raise Failed("user_not_found", "Okta knows nobody with this e-mail address")
        return directory

    async def save(self, event: EnrichmentRequested, directory: tuple | None, stored: dict | None) -> str:
        """Compare and set: whoever else wrote the person meanwhile, `decide` has the last word."""
        for _ in range(ROUNDS):
            outcome = decide(stored and stored["last"], event)
            if outcome != "applied" or await self.store.save(merge(event, directory, stored), stored):
                return outcome
            stored = stored_user(await self.store.user(event.employee.id))
        raise Contended

    async def dead_letter(self, record: ConsumerRecord, failed: Failed) -> None:
        """Key, value and headers stay as they are; what failed is added."""
        added = {
            "dlq-reason": failed.reason,
            "dlq-message": str(failed),
            "dlq-attempts": str(failed.attempts),
            "dlq-origin-topic": record.topic,
            "dlq-origin-partition": str(record.partition),
            "dlq-origin-offset": str(record.offset),
            "dlq-origin-timestamp": timestamp(record.timestamp * 1_000_000),
            "dlq-failed-at": timestamp(time.time_ns()),
        }
        headers = [*record.headers, *((name, value.encode()) for name, value in added.items())]
        try:
            await self.producer.send_and_wait(self.failed_topic, record.value, record.key, headers=headers)
        except MessageSizeTooLargeError:
            log.error("the failed topic takes no record of this size; its letter goes without the value")
            await self.producer.send_and_wait(self.failed_topic, None, record.key, headers=headers)


async def main() -> None:
    start()
    stopping = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stopping.set)
    people_at_once = int(os.environ.get("CONCURRENCY", "16"))
    most_records = int(os.environ.get("BATCH", "100"))
    servers = os.environ["KAFKA_BOOTSTRAP_SERVERS"]
    store, cache = Store(os.environ["STORAGE_URL"]), Cache(os.environ["CACHE_URL"])
    okta = Okta(os.environ["OKTA_ORG_URL"], os.environ["OKTA_API_TOKEN"], people_at_once)
    producer = AIOKafkaProducer(
        bootstrap_servers=servers,
        client_id="joiner",
        acks="all",
        compression_type="lz4",
        max_request_size=10485760,
    )
    consumer = AIOKafkaConsumer(
        os.environ["KAFKA_TOPIC"],
        bootstrap_servers=servers,
        client_id="joiner",
        group_id=os.environ["KAFKA_GROUP"],
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        max_poll_records=most_records,
        # A batch may wait for Okta's rate limit, several times.
        max_poll_interval_ms=15 * 60 * 1000,
    )
    worker = Worker(store, cache, okta, producer, os.environ["KAFKA_FAILED_TOPIC"])
    await store.open()
    await producer.start()
    await consumer.start()
    try:
        while not stopping.is_set():
            batch = await consumer.getmany(timeout_ms=500)
            if not batch:
                continue
            await worker.work(batch, people_at_once)
            try:
                await consumer.commit({partition: records[-1].offset + 1 for partition, records in batch.items()})
            except CommitFailedError:
                log.warning("a partition went to another worker, which reads the batch again")
    finally:
        await consumer.stop()
        await producer.stop()
        await okta.http.close()
        await store.redis.aclose()
        await cache.redis.aclose()


if __name__ == "__main__":
    uvloop.run(main())
