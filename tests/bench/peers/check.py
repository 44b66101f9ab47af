"""Shows that each peer works, with the Kafka, Redis and Okta that the bench names. See README.md."""

import base64
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
from confluent_kafka import Consumer
from confluent_kafka.admin import AdminClient, NewTopic

HERE = Path(__file__).parent
KEY = os.environ["API_KEY"]
REQUESTED, FAILED = "check.user.enrichment.requested", "check.user.enrichment.failed"
EVENT = json.loads((HERE / "../../../events/hr-webhook/full-profile.body.json").read_text())


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@contextmanager
def running(*command: str, **variables: str):
    process = subprocess.Popen(command, cwd=HERE, env={**os.environ, **variables})
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(15)


def served(stack: ExitStack, app: str, **variables: str) -> httpx.Client:
    port = free_port()
    uvicorn = "-m uvicorn --workers 1 --loop uvloop --http httptools --no-proxy-headers --no-access-log --log-level warning"
    stack.enter_context(running(sys.executable, *uvicorn.split(), "--port", str(port), app, **variables))
    client = httpx.Client(base_url=f"http://127.0.0.1:{port}", headers={"X-API-Key": KEY})

    def is_up() -> bool:
        try:
            return client.get("/v1/healthz").status_code == 200
        except httpx.TransportError:
            return False

    eventually(is_up, f"{app} answers")
    return client


def eventually(condition, what: str):
    for _ in range(300):
        if outcome := condition():
            return outcome
        time.sleep(0.1)
    raise SystemExit(f"waited in vain until {what}")


def expect(is_true: bool, what: str) -> None:
    if not is_true:
        raise SystemExit(f"not true: {what}")
    print(f"ok: {what}")


def check_webhook(webhook: httpx.Client) -> None:
    def post(event: object, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return webhook.post("/v1/hr/webhook", json=event, headers=named)

    answer = post(EVENT, x_correlation_id="check-1")
    expect(answer.status_code == 202 and answer.json()["correlation_id"] == "check-1", "a valid event is accepted")
    answer = post({**EVENT, "email": "nobody", "country": "Sweden", "title": 7})
    pointers = [error["pointer"] for error in answer.json()["errors"]]
    expect(answer.status_code == 422 and pointers == ["/email", "/title", "/country"], "every fault has its pointer")
    expect(webhook.post("/v1/hr/webhook", json=[]).status_code == 400, "a body that is no object is malformed")
    expect(post(EVENT, x_api_key="wrong").status_code == 403, "a wrong key is refused")
    unknown = {**EVENT, "employee_id": "E1999", "event_id": "hr-2", "email": "nobody.knows@acme.example"}
    expect(
        post(unknown, x_correlation_id="check-2").status_code == 202, "an event of a person unknown to Okta is accepted"
    )
    for number in range(3):
        other = {**EVENT, "employee_id": f"E300{number}", "event_id": f"hr-3{number}"}
        expect(post(other).status_code == 202, f"another person, {number}")


def check_query(query: httpx.Client) -> None:
    def user() -> dict | None:
        answer = query.get("/v1/users/E2001")
        return answer.json() if answer.status_code == 200 else None

    found = eventually(user, "the worker has stored the person")
    expect(found["name"] == EVENT["preferred_name"] and found["onboarded"] and found["groups"] != [], "it is enriched")
    expect(user() == found, "the cache has the same")
    expect(query.get("/v1/users/nobody").status_code == 404, "who isn't there is not found")

    def pages() -> list[str]:
        ids, cursor = [], ""
        while cursor is not None:
            page = query.get("/v1/users", params={"limit": 3, "cursor": cursor}).json()
            ids += [person["id"] for person in page["users"]]
            cursor = page["next_cursor"]
        return ids

    expected = ["E2001", "E3000", "E3001", "E3002"]
    eventually(lambda: pages() == expected, "all are listed")
    expect(pages() == expected, "pages neither repeat nor skip anybody")
    forged = base64.urlsafe_b64encode(bytes(16) + b"E2001").rstrip(b"=").decode()
    expect(query.get("/v1/users", params={"cursor": forged}).status_code == 400, "a forged cursor is refused")


def check_letter(servers: str) -> None:
    consumer = Consumer({"bootstrap.servers": servers, "group.id": "check", "auto.offset.reset": "earliest"})
    consumer.subscribe([FAILED])
    letter = eventually(lambda: consumer.poll(1), "there is a dead letter")
    headers = dict(letter.headers())
    expect(headers["dlq-reason"] == b"user_not_found" and letter.key() == b"E1999", "it is of the unknown person")
    expect(headers["correlation-id"] == b"check-2", "it keeps the record's headers")
    consumer.close()


def main() -> None:
    servers = os.environ["KAFKA_BOOTSTRAP_SERVERS"]
    admin = AdminClient({"bootstrap.servers": servers})
    for created in admin.create_topics([NewTopic(REQUESTED, 4), NewTopic(FAILED, 1)]).values():
        created.result()
    topics = {"KAFKA_FAILED_TOPIC": FAILED, "KAFKA_GROUP": "check-worker"}
    with ExitStack() as stack:
        webhook = served(stack, "webhook:app", KAFKA_TOPIC=REQUESTED)
        query = served(stack, "query:app")
        stack.enter_context(running(sys.executable, "worker.py", KAFKA_TOPIC=REQUESTED, **topics))
        check_webhook(webhook)
        check_query(query)
        check_letter(servers)


main()
