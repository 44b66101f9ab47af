"""`POST /v1/hr/webhook`: checks an HR event, and answers 202 once the brokers have it."""

import logging
import os
import re
import secrets
import time
from contextlib import asynccontextmanager
from typing import Annotated

import orjson
from fastapi import FastAPI, Request, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, ValidationError

import contracts
from api import Api, Problem, json_response, new_id, start, timestamp, unavailable
from publish import PUBLISHERS, Aiokafka, Confluent, Unacknowledged

MOST_BYTES = 256 * 1024

# How far an HR system's clock may be ahead of ours.
CLOCK_SKEW = 5 * 60 * 1_000_000_000

TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")

log = logging.getLogger("joiner.webhook")


def past(value: str) -> int | None:
    if not value:
        return None
    at = contracts.nanos(value)
    if at - time.time_ns() > CLOCK_SKEW:
        raise ValueError("in the past")
    return at


def optional(pattern: str, most: int | None = None, *checks):
    """HR systems send empty strings for what they don't know."""
    constraints = StringConstraints(pattern=f"^(?:{pattern})?$", max_length=most)
    return Annotated[str, constraints, *map(AfterValidator, checks)] | None


OptionalText = optional(contracts.TEXT, 256)
OptionalEmail = optional(contracts.EMAIL, None, contracts.email_lengths)
OptionalDate = Annotated[str, AfterValidator(contracts.calendar_date)] | None


class HrEvent(BaseModel):
    """The fields as sent. Unknown ones are ignored, outer spaces too."""

    model_config = ConfigDict(str_strip_whitespace=True)

    employee_id: contracts.EmployeeId
    first_name: contracts.Text
    last_name: contracts.Text
    email: contracts.Email
    preferred_name: OptionalText = None
    title: OptionalText = None
    department: OptionalText = None
    manager_email: OptionalEmail = None
    start_date: OptionalDate = None
    end_date: OptionalDate = None
    status: OptionalText = None
    employment_type: OptionalText = None
    location: OptionalText = None
    office: OptionalText = None
    country: optional(contracts.COUNTRY) = None
    time_zone: contracts.TimeZone | None = None
    phone: OptionalText = None
    mobile: OptionalText = None
    cost_center: OptionalText = None
    division: OptionalText = None
    company: OptionalText = None
    job_code: OptionalText = None
    job_level: OptionalText = None
    personal_email: OptionalEmail = None
    event_id: optional(contracts.EVENT_ID, 128) = None
    event_type: optional("hired|updated|terminated") = None
    occurred_at: Annotated[str, AfterValidator(past)] | None = None


EXPECTED = {
    "employee_id": "1 to 64 letters, digits, '.', '_' or '-'",
    "email": "an e-mail address",
    "manager_email": "an e-mail address",
    "personal_email": "an e-mail address",
    "country": "an ISO 3166-1 alpha-2 country code",
    "event_id": "1 to 128 visible ASCII characters other than '@'",
    "event_type": "hired, updated or terminated",
}
EXPECTED_TEXT = "1 to 256 characters without control characters or outer spaces"

DETAILS = {name: field.alias for name, field in contracts.Details.model_fields.items()}


def read(body: bytes) -> HrEvent:
    if not body.lstrip().startswith(b"{"):
        raise malformed("line 1, column 1")
    try:
        return HrEvent.model_validate_json(body)
    except ValidationError as error:
        errors = error.errors(include_url=False)
    if errors[0]["type"] == "json_invalid":
        line, column = re.search(r"line (\d+) column (\d+)", errors[0]["msg"]).groups()
        raise malformed(f"line {line}, column {column}")
    detail = "Some fields are missing or wrong; `errors` lists each."
    raise Problem(422, "invalid_fields", detail, errors=[fault(error) for error in errors])


def malformed(place: str) -> Problem:
    return Problem(400, "malformed_json", f"Not accepted: the body is not a JSON object: {place}.")


def fault(error: dict) -> dict:
    """What was expected, and never what was found, which may be personal."""
    name = error["loc"][0]
    match error["type"]:
        case "missing":
            detail = "is required"
        case "string_type":
            detail = "is required" if error["input"] is None else "must be a string"
        case "value_error":
            detail = f"must be {error['ctx']['error']}"
        case _:
            detail = f"must be {EXPECTED.get(name, EXPECTED_TEXT)}"
    return {"pointer": f"/{name}", "detail": detail}


def message(event: HrEvent, event_id: str, correlation_id: str) -> bytes:
    received_at = time.time_ns()
    # What is within the skew counts as now: an event must not overtake one that comes after it.
    occurred_at = received_at if event.occurred_at is None else min(event.occurred_at, received_at)
    sent = event.__dict__
    return orjson.dumps(
        {
            "eventId": event_id,
            "eventType": event.event_type or "hired",
            "correlationId": correlation_id,
            "occurredAt": timestamp(occurred_at),
            "receivedAt": timestamp(received_at),
            "employee": {
                "id": event.employee_id,
                "firstName": event.first_name,
                "lastName": event.last_name,
                "preferredName": event.preferred_name or None,
                "email": event.email,
                "title": event.title or None,
                "department": event.department or None,
                "managerEmail": event.manager_email or None,
                "startDate": event.start_date or None,
                "endDate": event.end_date or None,
                "status": event.status or None,
                "details": {alias: sent[name] for name, alias in DETAILS.items() if sent[name]},
            },
        }
    )


def traceparent_of(request: Request) -> str:
    """The caller's, or a new one: not sampled, as nobody upstream asked for it."""
    given = request.headers.get("traceparent")
    if given and TRACEPARENT.fullmatch(given):
        return given
    return f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-00"


publisher: Confluent | Aiokafka


@asynccontextmanager
async def lifespan(_app: FastAPI):
    global publisher
    start()
    kind = PUBLISHERS[os.environ.get("KAFKA_CLIENT", "confluent")]
    publisher = kind(os.environ["KAFKA_BOOTSTRAP_SERVERS"], os.environ["KAFKA_TOPIC"])
    await publisher.open()
    yield
    await publisher.close()


async def accept(request: Request, correlation_id: str) -> Response:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        raise Problem(415, "not_json", "Send JSON, and say so: Content-Type: application/json.")
    body = await request.body()
    if len(body) > MOST_BYTES:
        raise Problem(413, "body_too_large", f"The body is {len(body)} bytes long; the most is {MOST_BYTES}.")
    event = read(body)
    event_id = event.event_id or new_id()
    event_type = event.event_type or "hired"
    headers = [
        ("correlation-id", correlation_id.encode()),
        ("event-id", event_id.encode()),
        ("event-type", event_type.encode()),
        ("traceparent", traceparent_of(request).encode()),
        ("schema-version", b"1"),
    ]
    fields = {"event_type": event_type, "correlation_id": correlation_id, "event_id": event_id, "service": api.service}
    try:
        await publisher.publish(event.employee_id, message(event, event_id, correlation_id), headers)
    except Unacknowledged as error:
        log.error("an event was not accepted", extra={"fields": {"error": str(error), **fields}})
        raise unavailable("The event may or may not have been accepted. Send it again later, as it is.") from None
    log.info("accepted", extra={"fields": fields})
    status_url = f"/v1/requests/{correlation_id}"
    return json_response({"status": "accepted", "correlation_id": correlation_id, "status_url": status_url}, 202)


async def healthz(_request: Request, _correlation_id: str) -> Response:
    return json_response({"status": "up"})


api = Api("hr-webhook", os.environ.get("API_KEY", ""), lifespan)
api.route("POST", "/v1/hr/webhook", accept)
api.route("GET", "/v1/healthz", healthz, is_open=True)
app = api.app
