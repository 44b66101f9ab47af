"""What crosses the topic: types that accept what shared/contracts accepts, and the message made of them."""

import re
from datetime import UTC, date, datetime
from importlib import resources
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints, with_config
from pydantic.alias_generators import to_camel, to_snake
from typing_extensions import TypedDict

ATOM = r"[\p{Alphabetic}\p{N}!#$%&'*+/=?^_`{|}~-]+"
LABEL = r"[\p{Alphabetic}\p{N}](?:[\p{Alphabetic}\p{N}!#$%&'*+/=?^_`{|}~-]*[\p{Alphabetic}\p{N}])?"
QUOTED = r'"(?:[ \t!#-\[\]-~]|\\[!-~])+"'

TEXT = r"[^\s\p{Cc}](?:\P{Cc}*[^\s\p{Cc}])?"
EMAIL = rf"(?:{ATOM}(?:\.{ATOM})*|{QUOTED})@{LABEL}(?:\.{LABEL})*"
# "." and ".." are not names but directions.
DIRECTIONS = (".", "..")
IDENTIFIER = r"(?:\.*[A-Za-z0-9_-][A-Za-z0-9._-]*|\.{3,})"
# No "@": it is in every log line, so it can't be an e-mail address.
EVENT_ID = r"[!-?A-~]+"
# ISO 3166-1: alpha-2, and alpha-3.
COUNTRIES = dict(
    pair.split(":")
    for pair in """
    AD:AND AE:ARE AF:AFG AG:ATG AI:AIA AL:ALB AM:ARM AO:AGO AQ:ATA AR:ARG AS:ASM AT:AUT AU:AUS AW:ABW AX:ALA AZ:AZE
    BA:BIH BB:BRB BD:BGD BE:BEL BF:BFA BG:BGR BH:BHR BI:BDI BJ:BEN BL:BLM BM:BMU BN:BRN BO:BOL BQ:BES BR:BRA BS:BHS
    BT:BTN BV:BVT BW:BWA BY:BLR BZ:BLZ CA:CAN CC:CCK CD:COD CF:CAF CG:COG CH:CHE CI:CIV CK:COK CL:CHL CM:CMR CN:CHN
    CO:COL CR:CRI CU:CUB CV:CPV CW:CUW CX:CXR CY:CYP CZ:CZE DE:DEU DJ:DJI DK:DNK DM:DMA DO:DOM DZ:DZA EC:ECU EE:EST
    EG:EGY EH:ESH ER:ERI ES:ESP ET:ETH FI:FIN FJ:FJI FK:FLK FM:FSM FO:FRO FR:FRA GA:GAB GB:GBR GD:GRD GE:GEO GF:GUF
    GG:GGY GH:GHA GI:GIB GL:GRL GM:GMB GN:GIN GP:GLP GQ:GNQ GR:GRC GS:SGS GT:GTM GU:GUM GW:GNB GY:GUY HK:HKG HM:HMD
    HN:HND HR:HRV HT:HTI HU:HUN ID:IDN IE:IRL IL:ISR IM:IMN IN:IND IO:IOT IQ:IRQ IR:IRN IS:ISL IT:ITA JE:JEY JM:JAM
    JO:JOR JP:JPN KE:KEN KG:KGZ KH:KHM KI:KIR KM:COM KN:KNA KP:PRK KR:KOR KW:KWT KY:CYM KZ:KAZ LA:LAO LB:LBN LC:LCA
    LI:LIE LK:LKA LR:LBR LS:LSO LT:LTU LU:LUX LV:LVA LY:LBY MA:MAR MC:MCO MD:MDA ME:MNE MF:MAF MG:MDG MH:MHL MK:MKD
    ML:MLI MM:MMR MN:MNG MO:MAC MP:MNP MQ:MTQ MR:MRT MS:MSR MT:MLT MU:MUS MV:MDV MW:MWI MX:MEX MY:MYS MZ:MOZ NA:NAM
    NC:NCL NE:NER NF:NFK NG:NGA NI:NIC NL:NLD NO:NOR NP:NPL NR:NRU NU:NIU NZ:NZL OM:OMN PA:PAN PE:PER PF:PYF PG:PNG
    PH:PHL PK:PAK PL:POL PM:SPM PN:PCN PR:PRI PS:PSE PT:PRT PW:PLW PY:PRY QA:QAT RE:REU RO:ROU RS:SRB RU:RUS RW:RWA
    SA:SAU SB:SLB SC:SYC SD:SDN SE:SWE SG:SGP SH:SHN SI:SVN SJ:SJM SK:SVK SL:SLE SM:SMR SN:SEN SO:SOM SR:SUR SS:SSD
    ST:STP SV:SLV SX:SXM SY:SYR SZ:SWZ TC:TCA TD:TCD TF:ATF TG:TGO TH:THA TJ:TJK TK:TKL TL:TLS TM:TKM TN:TUN TO:TON
    TR:TUR TT:TTO TV:TUV TW:TWN TZ:TZA UA:UKR UG:UGA UM:UMI US:USA UY:URY UZ:UZB VA:VAT VC:VCT VE:VEN VG:VGB VI:VIR
    VN:VNM VU:VUT WF:WLF WS:WSM YE:YEM YT:MYT ZA:ZAF ZM:ZMB ZW:ZWE""".split()
)
COUNTRY = "|".join(COUNTRIES)
TIME_ZONES = frozenset(resources.files("tzdata").joinpath("zones").read_text().split())
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
# As we write it: such texts, without the last character, sort as the times do.
CANONICAL = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{0,8}[1-9])?Z", re.ASCII)
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
    """Python reads weeks, too, which are no dates here."""
    try:
        if "W" not in value:
            return value and date.fromisoformat(value).isoformat()
    except ValueError:
        pass
    raise ValueError("a date such as 2026-01-31")


def is_line(value: str, most: int) -> bool:
    return 0 < len(value) <= most and value == value.strip() and not CONTROL.search(value)


def is_employee_id(value: str) -> bool:
    return is_line(value, 128) and value not in DIRECTIONS


def no_direction(value: str) -> str:
    if value in DIRECTIONS:
        raise ValueError("1 to 128 characters without control characters or outer spaces")
    return value


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


def timestamp(nanos: int) -> str:
    """RFC 3339 in UTC, with as many decimals as it needs."""
    seconds, fraction = divmod(nanos, 1_000_000_000)
    whole = datetime.fromtimestamp(seconds, UTC).isoformat()[:19]
    return f"{whole}.{fraction:09}".rstrip("0") + "Z" if fraction else f"{whole}Z"


def instant(value: str) -> str:
    if CANONICAL.fullmatch(value):
        datetime.fromisoformat(value[:19])
        return value
    return timestamp(nanos(value))


def string(pattern: str, most: int | None = None, *checks):
    constraints = StringConstraints(pattern=f"^(?:{pattern})$", max_length=most)
    return Annotated[str, constraints, *map(AfterValidator, checks)]


Text = string(TEXT, 256)
Email = string(EMAIL, None, email_lengths)
EmployeeId = string(TEXT, 128, no_direction)
CorrelationId = string(IDENTIFIER, 128)
EventId = string(EVENT_ID, 128)
Country = string(COUNTRY)
TimeZone = Annotated[str, StringConstraints(min_length=1), AfterValidator(time_zone)]
Date = Annotated[str, StringConstraints(min_length=1), AfterValidator(calendar_date)]
Instant = Annotated[str, AfterValidator(instant)]
EventType = Literal["hired", "updated", "terminated"]

# What HR says of a person, and what each of it is. In this order it is written.
FIELDS = {
    "firstName": Text,
    "lastName": Text,
    "preferredName": Text,
    "email": Email,
    "title": Text,
    "department": Text,
    "managerEmail": Email,
    "startDate": Date,
    "endDate": Date,
    "status": Text,
    "employmentType": Text,
    "location": Text,
    "office": Text,
    "country": Country,
    "timeZone": TimeZone,
    "phone": Text,
    "mobile": Text,
    "costCenter": Text,
    "division": Text,
    "company": Text,
    "jobCode": Text,
    "jobLevel": Text,
    "personalEmail": Email,
}
# In the webhook's body.
SENT_AS = {name: to_snake(name) for name in FIELDS}
# A hire has to say these, and a person is never without them.
LASTING = ("firstName", "lastName", "email")

# What is not there is not spoken of, and what is None has no value any more. What this program doesn't know is an
# error: to overlook it would lose what HR said.
Stated = with_config(ConfigDict(extra="forbid"))(
    TypedDict("Stated", {name: kind | None for name, kind in FIELDS.items()}, total=False)
)


class Warned(TypedDict):
    pointer: str
    code: Literal["unreadable", "not_clearable"]
    message: str


class EnrichmentRequested(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel)

    event_id: EventId
    event_type: EventType
    correlation_id: CorrelationId
    occurred_at: Instant | None = None
    received_at: Instant
    edition: int = 0
    employee_id: EmployeeId
    stated: Stated
    warnings: list[Warned] = []
