"""Enriches people: from the topic, by Okta, to the store. What an event makes of a person, person.py says."""

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

from api import start
from contracts import EnrichmentRequested, timestamp
from okta import Okta, OktaError
from person import Draft, has_left, place_of
from store import Cache, Store

# Others write the same person only while a partition changes hands.
ROUNDS = 3

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


def stored(value: bytes | None) -> dict | None:
    try:
        return orjson.loads(value) if value else None
    except orjson.JSONDecodeError:
        raise Failed("unstorable", "the store can't hold this") from None


def request_event(event: EnrichmentRequested, **state) -> dict:
    return {
        "event_id": event.event_id,
        "employee_id": event.employee_id,
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
        event = None
        while True:
            try:
                try:
                    event = decode(record.value)
                    outcome = await self.apply(event)
                    log.info("enriched", extra={"fields": {"outcome": outcome, **fields}})
                except Failed as failed:
                    log.warning(
                        "made a dead letter",
                        extra={"fields": {"reason": failed.reason, "error": str(failed), **fields}},
                    )
                    if event is not None:
                        await self.note(event, "failed", reason=failed.reason, message=str(failed))
                    await self.dead_letter(record, failed)
                return
            except (RedisError, KafkaError, Contended) as error:
                log.warning("the record is tried again", extra={"fields": {"error": repr(error), **fields}})
                await asyncio.sleep(1)

    async def apply(self, event: EnrichmentRequested) -> str:
        draft = await self.converge(event)
        # Also for a repeat: its first delivery may have ended between the write and this line.
        await self.cache.invalidate(event.employee_id)
        if draft.fields:
            await self.note(event, "enriched", outcome="changed", fields=draft.fields)
            return "changed"
        await self.note(event, "enriched", outcome="nothing_new")
        return "nothing_new"

    async def converge(self, event: EnrichmentRequested) -> Draft:
        """Compare and set: whoever else wrote the person meanwhile, the registers have the last word."""
        asked = said = failed = None
        for round_ in range(ROUNDS):
            draft = await self.draft(event, is_first=round_ == 0)
            email = draft.asks_for()
            if email != asked:
                # What was said of an address before a conflict still is what Okta says.
                asked, said, failed = email, None, None
                if email is not None:
                    said, failed = await self.ask(draft, email)
            draft.answer(said)
            if draft.is_new and not await self.store.commit(draft):
                continue
            if failed is None and said and said["account"] is None and not has_left(draft.person):
                failed = Failed("user_not_found", "Okta knows nobody with this e-mail address")
            if failed is not None:
                # HR's part is written: whoever reads the person sees it from now on.
                await self.cache.invalidate(event.employee_id)
                raise failed
            return draft
        raise Contended

    async def draft(self, event: EnrichmentRequested, is_first: bool) -> Draft:
        key = event.employee_id, event.event_id
        if is_first:
            accepted = request_event(event, status="accepted")
            read = await self.store.accept(*key, event.correlation_id, accepted)
        else:
            read = await self.store.person_and_entry(*key)
        person, known = map(stored, read)
        place, entries = place_of(event, person, known), []
        if place == "instead_of_known":
            entries = [stored(entry) for entry in await self.store.entries(event.employee_id)]
        return Draft(event, person, known, place, entries)

    async def ask(self, draft: Draft, email: str) -> tuple[dict, Failed | None]:
        """What Okta said, and what becomes of the event where that is nothing of use."""
        account, namesakes = await asyncio.gather(
            self.okta.account(email), self.store.employed_with(email), return_exceptions=True
        )
        if isinstance(account, OktaError):
            return {"missing": account.reason}, Failed(account.reason, str(account), account.attempts)
        for answer in (account, namesakes):
            if isinstance(answer, BaseException):
                raise answer
        if account is not None and draft.is_taken(account, namesakes):
            message = "another employee has the Okta account with this e-mail address"
            return {"missing": "email_taken"}, Failed("email_taken", message)
        return {"account": account}, None

    async def note(self, event: EnrichmentRequested, status: str, **outcome) -> None:
        await self.store.record(event.correlation_id, request_event(event, status=status, **outcome))

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
