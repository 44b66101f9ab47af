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
from pydantic import AfterValidator, ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError, with_config
from pydantic_core import from_json
from typing_extensions import TypedDict

import contracts
from api import Api, Problem, json_response, new_id, start, unavailable
from publish import PUBLISHERS, Aiokafka, Confluent, Unacknowledged

MAX_BODY_BYTES = 256 * 1024

# How far an HR system's clock may be ahead of ours.
CLOCK_SKEW = 5 * 60 * 1_000_000_000

TRACEPARENT = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")

log = logging.getLogger("joiner.webhook")


def past(value: str) -> str | None:
    if not value:
        return None
    at = contracts.nanos(value)
    if at - time.time_ns() > CLOCK_SKEW:
        raise ValueError("in the past")
    return contracts.timestamp(at)


def day(value: str) -> str:
    """The date of a timestamp, as it was written: the day is meant, not an instant."""
    found = re.match(r"([^Tt ]*)[Tt ][0-9]", value)
    return contracts.calendar_date(found[1] if found else value)


def country(value: str) -> str:
    value = value.upper()
    value = ALPHA_3.get(value, value)
    if value not in contracts.COUNTRIES:
        raise ValueError("an ISO 3166-1 alpha-2 country code")
    return value


def event_type(value: str) -> str:
    if value not in ("hired", "updated", "terminated"):
        raise ValueError("hired, updated or terminated")
    return value


REQUIRED = set(contracts.LASTING)
ALPHA_3 = {three: two for two, three in contracts.COUNTRIES.items()}


def optional(pattern: str, most: int | None = None, *checks):
    """Empty, it has no value."""
    return contracts.string(f"(?:{pattern})?", most, *checks) | None


# What is plainly right, as most bodies are: one pass of pydantic's core. Each by the name that the message has.
PLAIN = {
    contracts.Text: optional(contracts.TEXT, 256),
    contracts.Email: optional(contracts.EMAIL, None, contracts.email_lengths),
    contracts.Date: Annotated[str, AfterValidator(contracts.calendar_date)] | None,
    contracts.Country: optional(contracts.COUNTRY),
    contracts.TimeZone: Annotated[str, AfterValidator(contracts.time_zone)] | None,
}


def sent_as(name: str, kind):
    return Annotated[kind, Field(alias=name)]


# Unknown fields are ignored, outer spaces too. What an event can't do without is not empty.
HR_EVENT = TypeAdapter(
    with_config(ConfigDict(str_strip_whitespace=True))(
        TypedDict(
            "HrEvent",
            {
                "employeeId": sent_as("employee_id", contracts.EmployeeId),
                "eventId": sent_as("event_id", optional(contracts.EVENT_ID, 128)),
                "eventType": sent_as("event_type", contracts.EventType),
                "occurredAt": sent_as("occurred_at", Annotated[str, AfterValidator(past)] | None),
                **{
                    name: sent_as(contracts.SENT_AS[name], kind if name in contracts.LASTING else PLAIN[kind])
                    for name, kind in contracts.FIELDS.items()
                },
            },
            total=False,
        )
    )
)


def read(body: bytes, correlation_id: str) -> dict:
    """The event, as the message has it."""
    if not body.lstrip().startswith(b"{"):
        raise malformed("line 1, column 1")
    try:
        event = HR_EVENT.validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        if first["type"] == "json_invalid":
            line, column = re.search(r"line (\d+) column (\d+)", first["msg"]).groups()
            raise malformed(f"line {line}, column {column}") from None
        return read_closely(body, correlation_id)
    employee_id, event_id = event.pop("employeeId", None), event.pop("eventId", None)
    event_type = event.pop("eventType", "hired")
    occurred_at = event.pop("occurredAt", None)
    if employee_id is None or event_type == "hired" and not event.keys() >= REQUIRED:
        return read_closely(body, correlation_id)
    stated = {name: value or None for name, value in event.items()}
    return message(correlation_id, employee_id, event_id, event_type, occurred_at, stated)


def message(
    correlation_id: str,
    employee_id: str,
    event_id: str | None,
    event_type: str,
    occurred_at: str | None,
    stated: dict,
    warnings: list[dict] | None = None,
) -> dict:
    event = {"eventId": event_id or new_id(), "eventType": event_type, "correlationId": correlation_id}
    if occurred_at is not None:
        event["occurredAt"] = occurred_at
    event["receivedAt"] = contracts.timestamp(time.time_ns())
    event["employeeId"] = employee_id
    event["stated"] = stated
    if warnings:
        event["warnings"] = warnings
    return event


def strict(kind, expected: str) -> tuple[TypeAdapter, str]:
    return TypeAdapter(kind, config=ConfigDict(str_strip_whitespace=True)), expected


KINDS = {
    contracts.Text: strict(contracts.Text, "1 to 256 characters without control characters or outer spaces"),
    contracts.Email: strict(contracts.Email, "an e-mail address"),
    contracts.Date: strict(Annotated[str, AfterValidator(day)], "a date such as 2026-01-31"),
    contracts.Country: strict(Annotated[str, AfterValidator(country)], "an ISO 3166-1 alpha-2 country code"),
    contracts.TimeZone: strict(contracts.TimeZone, "an IANA time zone name"),
}
FIELDS = {contracts.SENT_AS[name]: (name, *KINDS[kind]) for name, kind in contracts.FIELDS.items()}
EMPLOYEE_ID = strict(contracts.EmployeeId, "1 to 128 characters without control characters or outer spaces")
EVENT_ID = strict(contracts.EventId, "1 to 128 visible ASCII characters other than '@'")
EVENT_TYPE = strict(Annotated[str, AfterValidator(event_type)], "hired, updated or terminated")
OCCURRED_AT = strict(Annotated[str, AfterValidator(past)], "an RFC 3339 time such as 2026-01-31T18:42:00Z")

ABSENT = object()


class Unreadable(Exception):
    """Says what was expected, and never what was found, which may be personal."""


def parse(sent: object, adapter: TypeAdapter, expected: str) -> str:
    if not isinstance(sent, str):
        raise Unreadable("must be a string")
    try:
        return adapter.validate_python(sent)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
    raise Unreadable(f"must be {first['ctx']['error'] if first['type'] == 'value_error' else expected}")


def text(value: object) -> object:
    """None for `null` and white space, of a whole number its digits; what is no text stays what it is."""
    if isinstance(value, str):
        return value if value.strip() else None
    if type(value) is int and -(2**63) <= value < 2**64:
        return str(value)
    return value


def read_closely(body: bytes, correlation_id: str) -> dict:
    """Finds every fault, not just the first. What an event can do without and can't be read is left out and named."""
    sent = {name: text(value) for name, value in from_json(body).items()}
    faults, warnings, stated = [], [], {}

    def fault(name: str, detail: str) -> None:
        faults.append({"pointer": f"/{name}", "detail": detail})

    def parsed(name: str, adapter: TypeAdapter, expected: str) -> str | None:
        try:
            return parse(sent[name], adapter, expected)
        except Unreadable as error:
            fault(name, str(error))
            return None

    employee_id = event_id = occurred_at = None
    event_type = "hired"
    if sent.get("employee_id") is None:
        fault("employee_id", "is required")
    else:
        employee_id = parsed("employee_id", *EMPLOYEE_ID)
    # An empty one is no type that somebody chose.
    if "event_type" in sent:
        event_type = parsed("event_type", *EVENT_TYPE)
    if sent.get("event_id") is not None:
        event_id = parsed("event_id", *EVENT_ID)
    if sent.get("occurred_at") is not None:
        occurred_at = parsed("occurred_at", *OCCURRED_AT)
    required = contracts.LASTING if event_type in ("hired", None) else ()
    for name in required:
        if sent.get(contracts.SENT_AS[name]) is None:
            fault(contracts.SENT_AS[name], "is required")
    for name, value in sent.items():
        if name not in FIELDS:
            continue
        field, *kind = FIELDS[name]
        if field in required:
            if value is not None:
                stated[field] = parsed(name, *kind)
        elif value is not None:
            try:
                stated[field] = parse(value, *kind)
            except Unreadable as error:
                warnings.append({"pointer": f"/{name}", "code": "unreadable", "message": f"{error}: left out"})
        elif field in contracts.LASTING:
            detail = "can be replaced and not cleared: left out"
            warnings.append({"pointer": f"/{name}", "code": "not_clearable", "message": detail})
        else:
            stated[field] = None
    if faults:
        detail = "Some fields are missing or wrong; `errors` lists each."
        raise Problem(422, "invalid_fields", detail, errors=faults)
    stated = {name: stated[name] for name in contracts.FIELDS if name in stated}
    return message(correlation_id, employee_id, event_id, event_type, occurred_at, stated, warnings)


def malformed(place: str) -> Problem:
    return Problem(400, "malformed_json", f"Not accepted: the body is not a JSON object: {place}.")


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
    if len(body) > MAX_BODY_BYTES:
        raise Problem(413, "body_too_large", f"The body is {len(body)} bytes long; the most is {MAX_BODY_BYTES}.")
    event = read(body, correlation_id)
    headers = [
        ("correlation-id", correlation_id.encode()),
        ("event-id", event["eventId"].encode()),
        ("event-type", event["eventType"].encode()),
        ("traceparent", traceparent_of(request).encode()),
        ("schema-version", b"2"),
    ]
    fields = {
        "event_type": event["eventType"],
        "correlation_id": correlation_id,
        "event_id": event["eventId"],
        "service": api.service,
    }
    try:
        await publisher.publish(event["employeeId"], orjson.dumps(event), headers)
    except Unacknowledged as error:
        log.error("an event was not accepted", extra={"fields": {"error": str(error), **fields}})
        raise unavailable("The event may or may not have been accepted. Send it again later, as it is.") from None
    log.info("accepted", extra={"fields": fields})
    answer = {
        "status": "accepted",
        "correlation_id": correlation_id,
        "status_url": f"/v1/requests/{correlation_id}",
    }
    if "warnings" in event:
        answer["warnings"] = event["warnings"]
    return json_response(answer, 202)


async def healthz(_request: Request, _correlation_id: str) -> Response:
    return json_response({"status": "up"})


api = Api("hr-webhook", os.environ.get("API_KEY", ""), lifespan)
api.route("POST", "/v1/hr/webhook", accept)
api.route("GET", "/v1/healthz", healthz, is_open=True)
app = api.app
