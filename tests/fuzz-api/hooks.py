"""What the description's formats mean, which are beyond JSON Schema."""

import zoneinfo
from datetime import datetime, timezone

import schemathesis
from hypothesis import strategies as st

# Some of each: schemathesis draws from them.
schemathesis.openapi.format("country", st.sampled_from(["SE", "IN", "DE", "US", "ZA", "BR", "JP"]))
schemathesis.openapi.format("time-zone", st.sampled_from(sorted(zoneinfo.available_timezones() & {
    "Europe/Stockholm", "Asia/Kolkata", "America/Argentina/Buenos_Aires", "Etc/GMT+3", "UTC",
})))
# An event lies in the past.
schemathesis.openapi.format("date-time", st.datetimes(
    min_value=datetime(1970, 1, 1), max_value=datetime(2026, 1, 1), timezones=st.just(timezone.utc),
).map(lambda at: at.isoformat().replace("+00:00", "Z")))
