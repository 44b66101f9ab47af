"""What crosses the topic: types that accept what shared/contracts accepts, and the message made of them."""

import re
from datetime import datetime
from importlib import resources
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic.alias_generators import to_camel

ATOM = r"[\p{Alphabetic}\p{N}!#$%&'*+/=?^_`{|}~-]+"
LABEL = r"[\p{Alphabetic}\p{N}](?:[\p{Alphabetic}\p{N}!#$%&'*+/=?^_`{|}~-]*[\p{Alphabetic}\p{N}])?"
QUOTED = r'"(?:[ \t!#-\[\]-~]|\\[!-~])+"'

TEXT = r"[^\s\p{Cc}](?:\P{Cc}*[^\s\p{Cc}])?"
EMAIL = rf"(?:{ATOM}(?:\.{ATOM})*|{QUOTED})@{LABEL}(?:\.{LABEL})*"
# "." and ".." are not names but directions.
IDENTIFIER = r"(?:\.*[A-Za-z0-9_-][A-Za-z0-9._-]*|\.{3,})"
# No "@": it is in every log line, so it can't be an e-mail address.
EVENT_ID = r"[!-?A-~]+"
# ISO 3166-1 alpha-2.
COUNTRY = "|".join(
    """AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA
    CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB
    GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG
    KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV
    MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB
    SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US
    UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW""".split()
)
TIME_ZONES = frozenset(resources.files("tzdata").joinpath("zones").read_text().split())
INSTANT = re.compile(r"([\d-]{8,10}[T ][\d:]{2,8})(?:[.,](\d{1,9}))?(Z|[+-]\d\d(?::?\d\d)?)", re.ASCII)


def email_lengths(value: str) -> str:
    """RFC 5321's, in bytes; the pattern has checked the rest."""
    local, _, domain = value.encode().rpartition(b"@")
    if len(local) > 64 or len(domain) > 254 or max(map(len, domain.split(b".")), default=0) > 63:
        raise ValueError("an e-mail address")
    return value


def time_zone(value: str) -> str:
    if value and value not in TIME_ZONES:
        raise ValueError("an IANA time zone name")
    return value


def calendar_date(value: str) -> str:
    """A time of day may follow. Python reads two things more that are no dates here: weeks, and instants in UTC."""
    try:
        if "W" not in value and not value.endswith(("Z", "z")):
            return value and datetime.fromisoformat(value).date().isoformat()
    except ValueError:
        pass
    raise ValueError("a date such as 2026-01-31")


def nanos(value: str) -> int:
    """Nanoseconds since 1970: HR systems and we tell time more finely than datetime does."""
    found = INSTANT.fullmatch(value.upper())
    if found is None:
        raise ValueError("an RFC 3339 time such as 2026-01-31T18:42:00Z")
    whole, fraction, offset = found.groups()
    try:
        seconds = int(datetime.fromisoformat(whole + offset).timestamp())
    except ValueError:
        raise ValueError("an RFC 3339 time such as 2026-01-31T18:42:00Z") from None
    return seconds * 1_000_000_000 + int((fraction or "").ljust(9, "0"))


def string(pattern: str, most: int | None = None, *checks):
    constraints = StringConstraints(pattern=f"^(?:{pattern})$", max_length=most)
    return Annotated[str, constraints, *map(AfterValidator, checks)]


Text = string(TEXT, 256)
Email = string(EMAIL, None, email_lengths)
EmployeeId = string(IDENTIFIER, 64)
CorrelationId = string(IDENTIFIER, 128)
EventId = string(EVENT_ID, 128)
Country = string(COUNTRY)
TimeZone = Annotated[str, AfterValidator(time_zone)]
Date = Annotated[str, StringConstraints(min_length=1), AfterValidator(calendar_date)]
Instant = Annotated[str, AfterValidator(nanos)]
EventType = Literal["hired", "updated", "terminated"]


class Message(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel)


class Details(Message):
    employment_type: Text | None = None
    location: Text | None = None
    office: Text | None = None
    country: Country | None = None
    time_zone: TimeZone | None = None
    phone: Text | None = None
    mobile: Text | None = None
    cost_center: Text | None = None
    division: Text | None = None
    company: Text | None = None
    job_code: Text | None = None
    job_level: Text | None = None
    personal_email: Email | None = None


class Employee(Message):
    id: EmployeeId
    first_name: Text
    last_name: Text
    preferred_name: Text | None = None
    email: Email
    title: Text | None = None
    department: Text | None = None
    manager_email: Email | None = None
    start_date: Date | None = None
    end_date: Date | None = None
    status: Text | None = None
    details: Details = Field(default_factory=Details)


class EnrichmentRequested(Message):
    event_id: EventId
    event_type: EventType
    correlation_id: CorrelationId
    occurred_at: Instant
    received_at: Instant
    employee: Employee
