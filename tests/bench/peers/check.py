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
    wrong = {**EVENT, "employee_id": "", "email": "nobody", "occurred_at": "soon", "country": "Sweden"}
    answer = post(wrong)
    pointers = [error["pointer"] for error in answer.json()["errors"]]
    expect(
        answer.status_code == 422 and pointers == ["/employee_id", "/occurred_at", "/email"],
        "every fault has its pointer",
    )
    expect(webhook.post("/v1/hr/webhook", json=[]).status_code == 400, "a body that is no object is malformed")
    expect(post(EVENT, x_api_key="wrong").status_code == 403, "a wrong key is refused")
    expect(post({**EVENT, "event_type": None}).status_code == 422, "an empty type is not taken for a hire")
    unknown = {**EVENT, "employee_id": "E1999", "event_id": "hr-2", "email": "nobody.knows@acme.example"}
    expect(
        post(unknown, x_correlation_id="check-2").status_code == 202, "an event of a person unknown to Okta is accepted"
    )
    for number in range(3):
        other = {"event_type": "updated", "employee_id": 3000 + number, "title": "Analyst"}
        answer = post(other)
        expect(answer.status_code == 202 and "warnings" not in answer.json(), f"another person, {number}")


def found(query: httpx.Client, user_id: str, what: str, condition=lambda _: True) -> dict:
    def user() -> dict | None:
        answer = query.get(f"/v1/users/{user_id}")
        return answer.json() if answer.status_code == 200 and condition(answer.json()) else None

    return eventually(user, what)


def check_query(query: httpx.Client) -> None:
    complete = found(query, "E2001", "the worker has enriched the person", lambda user: user["groups"] != [])
    expect(complete["name"] == EVENT["preferred_name"] and complete["onboarded"], "HR's and Okta's part are there")
    expect(complete["enrichment"]["state"] == "complete" and complete["version"] == 1, "it is complete at once")
    expect(query.get("/v1/users/E2001").json() == complete, "the cache has the same")
    expect(query.get("/v1/users/nobody").status_code == 404, "who isn't there is not found")
    waiting = found(query, "E1999", "the person unknown to Okta is stored")
    enrichment = waiting["enrichment"]["state"], waiting["enrichment"]["reason"]
    expect(enrichment == ("pending", "user_not_found"), "who is unknown to Okta waits")
    expect(waiting["details"]["country"] == "SE" and waiting["email"] is not None, "with what HR says of them")
    patched = found(query, "3000", "a person of whom there is only an update is stored")
    expect(patched["name"] is None and patched["enrichment"]["reason"] == "no_email", "they wait for an address")

    def pages() -> list[str]:
        ids, cursor = [], ""
        while cursor is not None:
            page = query.get("/v1/users", params={"limit": 3, "cursor": cursor}).json()
            ids += [person["id"] for person in page["users"]]
            cursor = page["next_cursor"]
        return ids

    expected = ["3000", "3001", "3002", "E1999", "E2001"]
    eventually(lambda: pages() == expected, "all are listed")
    expect(pages() == expected, "pages neither repeat nor skip anybody")
    forged = base64.urlsafe_b64encode(bytes(16) + b"E2001").rstrip(b"=").decode()
    expect(query.get("/v1/users", params={"cursor": forged}).status_code == 400, "a forged cursor is refused")


def check_merge(webhook: httpx.Client, query: httpx.Client) -> None:
    """Of a person who is there: an update, then a termination and a change of title that had occurred before it."""

    def post(event_id: str, **event) -> dict:
        event = {"employee_id": "E2001", "event_id": event_id, **event}
        answer = webhook.post("/v1/hr/webhook", json=event)
        expect(answer.status_code == 202, f"{event_id} is accepted")
        return answer.json()

    patch = {"title": "Director", "mobile": None, "country": "Sweden"}
    answer = post("hr-4", event_type="updated", occurred_at="2026-02-03T00:00:00Z", **patch)
    warnings = [(warning["pointer"], warning["code"]) for warning in answer["warnings"]]
    expect(warnings == [("/country", "unreadable")], "what can't be read is named")
    user = found(query, "E2001", "the update is applied", lambda user: user["version"] == 2)
    expect(user["title"] == "Director" and "mobile" not in user["details"], "a patch states and clears")
    expect(user["details"]["country"] == "SE" and user["email"] == EVENT["email"], "and leaves the rest")
    post("hr-5", event_type="terminated", occurred_at="2026-02-02T00:00:00Z", title="Engineer", office="HQ 4")
    user = found(query, "E2001", "the termination is applied", lambda user: user["version"] == 3)
    left = user["employmentStatus"], user["onboarded"], user["enrichment"]["state"]
    expect(left == ("terminated", False, "left"), "a termination that comes late still counts")
    held = user["title"], user["details"]["office"]
    expect(held == ("Director", "HQ 4"), "of each field the newest statement holds")
    rehire = {**EVENT, "occurred_at": "2026-02-04T00:00:00Z"}
    post(**{**rehire, "event_id": "hr-6"})
    user = found(query, "E2001", "the rehire is applied", lambda user: user["version"] == 4)
    expect(user["employmentStatus"] == "employed" and user["onboarded"], "a hire brings somebody back")
    post(**{**EVENT, "event_id": "hr-7", "employee_id": "E2002"})
    user = found(query, "E2002", "a namesake is stored")
    enrichment = user["enrichment"]["state"], user["enrichment"]["reason"]
    expect(enrichment == ("pending", "email_taken") and user["oktaId"] is None, "the account stays whose it is")


def check_letters(servers: str) -> None:
    consumer = Consumer({"bootstrap.servers": servers, "group.id": "check", "auto.offset.reset": "earliest"})
    consumer.subscribe([FAILED])
    for employee, reason in ((b"E1999", b"user_not_found"), (b"E2002", b"email_taken")):
        letter = eventually(lambda: consumer.poll(1), "there is a dead letter")
        headers = dict(letter.headers())
        expect(headers["dlq-reason"] == reason and letter.key() == employee, f"it says {reason.decode()}")
        expect(headers["schema-version"] == b"2" and "correlation-id" in headers, "it keeps the record's headers")
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
        check_merge(webhook, query)
        check_letters(servers)


main()
