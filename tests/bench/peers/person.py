"""What an event makes of a person: registers.rs, converge.rs, change.rs and user.rs of shared/onboarding/src."""

import time

import contracts
from contracts import EnrichmentRequested, timestamp

HAS_LEFT = frozenset(["terminated", "inactive", "former", "left", "resigned", "retired", "dismissed", "deceased"])
IS_EMPLOYED = frozenset(["active", "employed", "hired", "rehired", "on leave"])
# What is passed on as it came: no rule reads it.
DETAILS = list(contracts.FIELDS)[list(contracts.FIELDS).index("employmentType") :]
VALUES = (
    "name email title department managerEmail startDate endDate employmentStatus status onboarded oktaId oktaStatus"
).split()
LISTS = ("groups", "applications")


def now() -> str:
    return timestamp(time.time_ns())


def position(said: dict) -> tuple[str, ...]:
    """By HR's time first, then ours, then the id. Without the Z, times sort as texts."""
    return said["effective"][:-1], said["stated"][:-1], said["received"][:-1], said["id"]


def employment(event_type: str, stated: dict) -> str | None:
    """What an event says of the employment: by its type, and by HR's own word for the state."""
    word = (stated.get("status") or "").lower()
    if event_type == "terminated" or word in HAS_LEFT:
        return "terminated"
    return "employed" if event_type == "hired" or word in IS_EMPLOYED else None


def merge(hr: dict, entry: dict) -> bool:
    """For each field the statement with the greatest position holds. Returns whether any of these does now."""
    at = entry.get("occurred_at") or entry["received_at"]
    said = {"effective": at, "stated": at, "received": entry["received_at"], "id": entry["event_id"]}
    events, fields, stated = hr["events"], hr["fields"], entry["stated"]
    ours = position(said)
    is_older = [position(event) < ours for event in events]
    by, holds = len(events), False
    for field, value in stated.items():
        held = fields.get(field)
        if (held is None or is_older[held[1]]) and not (value is None and field in contracts.LASTING):
            fields[field] = [value, by]
            holds = True
    status, held = employment(entry["event_type"], stated), hr.get("employment")
    if status is not None and (held is None or is_older[held[1]]):
        hr["employment"] = [status, by]
        holds = True
    if holds:
        events.append(said)
        drop_unused(hr)
    return holds


def drop_unused(hr: dict) -> None:
    """Events that hold no register any more."""
    registers = list(hr["fields"].values())
    if "employment" in hr:
        registers.append(hr["employment"])
    used = sorted({by for _, by in registers})
    if len(used) == len(hr["events"]):
        return
    moved = {by: index for index, by in enumerate(used)}
    for register in registers:
        register[1] = moved[register[1]]
    hr["events"] = [hr["events"][by] for by in used]


def made_of(entries: list[dict], forgotten: dict | None) -> dict:
    hr = {"events": [], "fields": {}}
    for entry in entries:
        if forgotten is None or entry["received_at"][:-1] > forgotten["received_at"][:-1]:
            merge(hr, entry)
    return hr


def has_left(person: dict) -> bool:
    """Whom HR never spoke of in these words is employed."""
    held = person["hr"].get("employment")
    return held is not None and held[0] == "terminated"


def email_of(person: dict) -> str | None:
    held = person["hr"]["fields"].get("email")
    return held and held[0]


def user_of(person: dict | None) -> dict | None:
    """As other systems read them; None for somebody who was forgotten, or of whom nothing was said."""
    if person is None or not person["hr"]["events"]:
        return None
    hr = {field: value for field, (value, _) in person["hr"]["fields"].items() if value is not None}
    okta = person["okta"]
    account = okta.get("account") or {}
    left = has_left(person)
    first, last = hr.get("firstName"), hr.get("lastName")
    # Together they may pass the length of one text: then the last name stands alone.
    both = text(f"{first} {last}") if first and last else None
    state, reason = enrichment_of(person)
    return {
        "id": person["id"],
        "name": hr.get("preferredName") or both or last or first,
        "email": hr.get("email"),
        # HR wins on what HR owns; Okta's are usually copies of HR's, and stand in where HR sends none.
        "title": hr.get("title") or text(account.get("title")),
        "department": hr.get("department") or text(account.get("department")),
        "managerEmail": hr.get("managerEmail"),
        "startDate": hr.get("startDate"),
        "endDate": hr.get("endDate"),
        "employmentStatus": "terminated" if left else "employed",
        "status": hr.get("status"),
        "onboarded": not left and account.get("status") == "ACTIVE",
        "oktaId": account.get("id"),
        "oktaStatus": account.get("status"),
        "groups": account.get("groups", []),
        "applications": account.get("applications", []),
        "details": {field: hr[field] for field in DETAILS if field in hr},
        "enrichment": {
            "state": state,
            "reason": reason,
            "since": okta["since"],
            "next_attempt": okta.get("next_attempt") if reason else None,
        },
        "version": person["version"],
        "updatedAt": person["updated_at"],
        "correlationId": person["correlation_id"],
    }


def enrichment_of(person: dict) -> tuple[str, str | None]:
    """How far Okta's part is, and why it is missing or older than what HR says."""
    left = has_left(person)
    reason = person["okta"].get("missing") or (None if left or email_of(person) else "no_email")
    return "left" if left else "pending" if reason else "complete", reason


def text(value: str | None) -> str | None:
    """Okta's fields are free text; what is no text to us is as good as absent."""
    value = (value or "").strip()
    return value if contracts.is_line(value, 256) else None


NOBODY = {"details": {}, "enrichment": {}}


def changes_between(old: dict | None, new: dict | None) -> list[dict]:
    """What reads otherwise than before, in the order that readers see it."""
    old, new = old or NOBODY, new or NOBODY
    changes = []

    def compare(prefix: str, fields, old: dict, new: dict) -> None:
        for field in fields:
            before, after = old.get(field), new.get(field)
            if before != after:
                changes.append({"field": prefix + field, "old": before, "new": after})

    compare("", VALUES, old, new)
    for field in LISTS:
        before, after = old.get(field, []), new.get(field, [])
        if before != after:
            added = [item for item in after if item not in before]
            removed = [item for item in before if item not in after]
            if added or removed:
                changes.append({"field": field, "added": added, "removed": removed})
    compare("details.", DETAILS, old["details"], new["details"])
    compare("enrichment.", ("state", "reason"), old["enrichment"], new["enrichment"])
    return changes


def place_of(event: EnrichmentRequested, person: dict | None, known: dict | None) -> str:
    """Where an event stands among those that were applied."""
    forgotten = person and person.get("forgotten")
    if forgotten:
        is_gone = not person["hr"]["events"]
        if event.received_at[:-1] <= forgotten["received_at"][:-1] or is_gone and event.event_type != "hired":
            return "of_forgotten"
    if known is None:
        return "new"
    # The newest edition counts, and of its copies the one that was received first.
    edition = known.get("edition", 0)
    if edition != event.edition:
        return "known" if edition > event.edition else "instead_of_known"
    return "known" if known["received_at"][:-1] <= event.received_at[:-1] else "instead_of_known"


def entry_of(event: EnrichmentRequested, at: str) -> dict:
    entry = {
        "employee_id": event.employee_id,
        "event_id": event.event_id,
        "event_type": event.event_type,
        "correlation_id": event.correlation_id,
        "received_at": event.received_at,
        "edition": event.edition,
        "stated": event.stated,
        "changes": [],
        "version": 0,
        "applied_at": at,
    }
    if event.occurred_at is not None:
        entry["occurred_at"] = event.occurred_at
    if event.warnings:
        entry["warnings"] = event.warnings
    return entry


def unknown(event: EnrichmentRequested, at: str) -> dict:
    """A person of whom nobody has spoken yet."""
    return {
        "id": event.employee_id,
        "hr": {"events": [], "fields": {}},
        "okta": {"since": at},
        "version": 0,
        "writes": 0,
        "updated_at": at,
        "correlation_id": event.correlation_id,
    }


class Draft:
    """A person with what HR says, before Okta is asked."""

    def __init__(
        self, event: EnrichmentRequested, person: dict | None, known: dict | None, place: str, entries: list[dict]
    ):
        """`entries` are all of the person's where the event takes the place of a known one."""
        at = now()
        self.event, self.place = event, place
        self.before = user_of(person)
        self.read = f"w{person['writes']}" if person else ""
        self.person = person or unknown(event, at)
        self.entry, self.holds = known or entry_of(event, at), False
        if place == "new":
            self.holds = merge(self.person["hr"], self.entry)
        elif place == "instead_of_known":
            self.entry = {**entry_of(event, at), "changes": known.get("changes", [])}
            others = [entry for entry in entries if entry["event_id"] != event.event_id]
            self.person["hr"] = made_of([*others, self.entry], self.person.get("forgotten"))
            self.holds = True

    def asks_for(self) -> str | None:
        """A repeat, and an event that is older than all that is known, cost nothing of Okta's rate limit."""
        waits = self.person["okta"].get("missing") and self.place != "of_forgotten"
        return email_of(self.person) if self.holds or waits else None

    def is_taken(self, account: dict, employed: list[dict]) -> bool:
        """Whether another of those who are employed with the same address has the account."""

        def has_it(other: dict) -> bool:
            theirs = other["okta"].get("account")
            return other["id"] != self.person["id"] and theirs is not None and theirs["id"] == account["id"]

        return not has_left(self.person) and any(map(has_it, employed))

    def answer(self, said: dict | None) -> None:
        """`said` has the `account`, None if Okta knows nobody, or why it is `missing`; None if Okta was not asked."""
        at = now()
        self.note(said, at)
        event, person, entry = self.event, self.person, self.entry
        self.after = user_of(person)
        changes = changes_between(self.before, self.after)
        told = changes
        # A delivery may have ended between its write and what it had to tell of it.
        if not changes and self.place == "known" and is_of(entry, event):
            told = entry.get("changes", [])
        self.fields = [change["field"] for change in told]
        if changes:
            person["version"] += 1
            person["updated_at"] = entry["applied_at"] = at
            person["correlation_id"] = event.correlation_id
        self.is_new = self.place in ("new", "instead_of_known") or self.place == "known" and bool(changes)
        person["writes"] += 1
        entry["changes"] = entry.get("changes", []) + changes
        entry["version"], entry["sequence"] = person["version"], person["writes"]

    def note(self, said: dict | None, at: str) -> None:
        okta = self.person["okta"]
        before = okta.get("missing"), self.before and self.before["enrichment"]["state"]
        if said is not None:
            missing = said.get("missing")
            if missing is None:
                okta["read_at"] = at
                okta["account"] = said["account"]
                # Accounts are often deleted before HR closes the record.
                if said["account"] is None and not has_left(self.person):
                    missing = "user_not_found"
            okta["missing"] = missing
        state = enrichment_of(self.person)[0] if self.person["hr"]["events"] else None
        if (okta.get("missing"), state) != before:
            okta["since"] = at
            okta["next_attempt"] = None
        self.person["okta"] = {name: value for name, value in okta.items() if value is not None}


def is_of(entry: dict, event: EnrichmentRequested) -> bool:
    """Whether it is of this copy of the event."""
    of_entry = entry["correlation_id"], entry["received_at"], entry.get("edition", 0)
    return of_entry == (event.correlation_id, event.received_at, event.edition)
