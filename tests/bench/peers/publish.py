"""Puts records on a topic, by confluent-kafka or aiokafka; returns once all in-sync replicas have them."""

import asyncio
import threading

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from confluent_kafka import KafkaException, Producer

ACK_SECONDS = 5
MAX_BYTES = 10485760


class Unacknowledged(Exception):
    """The record may have arrived all the same."""


class Confluent:
    """librdkafka packs and sends in threads of its own; deliveries are polled in one more, which wakes the loop."""

    def __init__(self, servers: str, topic: str):
        self.topic = topic
        self.loop = asyncio.get_running_loop()
        self.is_open = True
        self.producer = Producer(
            {
                "bootstrap.servers": servers,
                "client.id": "joiner",
                "acks": "all",
                "compression.type": "lz4",
                "linger.ms": 0,
                "max.in.flight.requests.per.connection": 5,
                "message.max.bytes": MAX_BYTES,
                "message.timeout.ms": ACK_SECONDS * 1000,
            }
        )

    async def open(self) -> None:
        threading.Thread(target=self.poll, daemon=True).start()

    def poll(self) -> None:
        while self.is_open:
            self.producer.poll(1)

    async def publish(self, key: str, value: bytes, headers: list[tuple[str, bytes]]) -> None:
        delivered = self.loop.create_future()

        def report(error, _message) -> None:
            self.loop.call_soon_threadsafe(settle, delivered, error)

        try:
            self.producer.produce(self.topic, value, key, headers=headers, on_delivery=report)
            await delivered
        except (KafkaException, BufferError) as error:
            raise Unacknowledged(str(error)) from error

    async def close(self) -> None:
        self.is_open = False
        await asyncio.to_thread(self.producer.flush, ACK_SECONDS)


def settle(delivered: asyncio.Future, error) -> None:
    if delivered.done():
        return
    if error is None:
        delivered.set_result(None)
    else:
        delivered.set_exception(KafkaException(error))


class Aiokafka:
    """What comes while a request is on its way to the broker goes with the next one."""

    def __init__(self, servers: str, topic: str):
        self.topic = topic
        self.producer = AIOKafkaProducer(
            bootstrap_servers=servers,
            client_id="joiner",
            acks="all",
            compression_type="lz4",
            linger_ms=0,
            max_request_size=MAX_BYTES,
        )

    async def open(self) -> None:
        await self.producer.start()

    async def publish(self, key: str, value: bytes, headers: list[tuple[str, bytes]]) -> None:
        try:
            async with asyncio.timeout(ACK_SECONDS):
                await self.producer.send_and_wait(self.topic, value, key.encode(), headers=headers)
        except (KafkaError, TimeoutError) as error:
            raise Unacknowledged(repr(error)) from error

    async def close(self) -> None:
        await self.producer.stop()


PUBLISHERS = {"confluent": Confluent, "aiokafka": Aiokafka}
