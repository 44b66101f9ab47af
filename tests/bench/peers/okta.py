"""Reads people from Okta as shared/okta/src/client.rs does, by httpx or aiohttp."""

import asyncio
import email.utils
import os
import random
import re
import time
from contextlib import asynccontextmanager
from urllib.parse import quote, urlencode, urljoin, urlsplit

import aiohttp
import httpx
import orjson
from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.alias_generators import to_camel
from yarl import URL

TIMEOUT = 10
MAX_PAGES = 100
ATTEMPTS, BASE_SECONDS, CAP_SECONDS = 3, 2, 30
NEXT = re.compile(r'<([^<>]*)>[^<]*;\s*rel\s*=\s*"?(?:[^"<]* )?next[ ";,]', re.IGNORECASE)


class OktaError(Exception):
    """`wait` is how long Okta asks to wait, in seconds; None where trying again gives the same."""

    def __init__(self, reason: str, message: str, wait: float | None = None):
        super().__init__(message)
        self.reason, self.wait = reason, wait
        self.attempts = 1


class NotFound(OktaError):
    def __init__(self):
        super().__init__("user_not_found", "Okta has no such object")


class OktaModel(BaseModel, alias_generator=to_camel):
    pass


class Profile(OktaModel):
    login: str
    email: str
    first_name: str | None = None
    last_name: str | None = None
    title: str | None = None
    department: str | None = None


class User(OktaModel):
    id: str
    status: str
    profile: Profile


class GroupProfile(OktaModel):
    name: str


class Group(OktaModel):
    id: str
    profile: GroupProfile


class AppLink(OktaModel):
    app_instance_id: str
    app_name: str
    label: str


USER, USERS = TypeAdapter(User), TypeAdapter(list[User])
GROUPS, APP_LINKS = TypeAdapter(list[Group]), TypeAdapter(list[AppLink])


class Httpx:
    """One client a connection: of a pool with many, httpx looks at each for each request, and gets far slower."""

    def __init__(self, headers: dict[str, str], connections: int):
        limits = httpx.Limits(max_connections=1, keepalive_expiry=60)
        tls = httpx.create_ssl_context(trust_env=False)
        self.clients = [
            httpx.AsyncClient(headers=headers, limits=limits, timeout=TIMEOUT, verify=tls, trust_env=False)
            for _ in range(connections)
        ]
        self.free = asyncio.LifoQueue()
        for client in self.clients:
            self.free.put_nowait(client)

    async def get(self, url: str):
        # The one used last goes first: its connection is alive.
        client = await self.free.get()
        try:
            answer = await client.get(url)
        except httpx.HTTPError as error:
            raise unreachable() from error
        finally:
            self.free.put_nowait(client)
        return answer.status_code, answer.headers, answer.headers.get("link"), answer.content

    async def close(self) -> None:
        for client in self.clients:
            await client.aclose()


class Aiohttp:
    def __init__(self, headers: dict[str, str], connections: int):
        connector = aiohttp.TCPConnector(limit=connections, keepalive_timeout=60)
        timeout = aiohttp.ClientTimeout(total=TIMEOUT)
        self.client = aiohttp.ClientSession(connector=connector, headers=headers, timeout=timeout)

    async def get(self, url: str):
        try:
            async with self.client.get(URL(url, encoded=True), allow_redirects=False) as answer:
                return answer.status, answer.headers, ", ".join(answer.headers.getall("Link", [])), await answer.read()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise unreachable() from error

    async def close(self) -> None:
        await self.client.close()


CLIENTS = {"httpx": Httpx, "aiohttp": Aiohttp}


class Okta:
    def __init__(self, org_url: str, token: str, people_at_once: int):
        self.org_url = org_url.rstrip("/")
        headers = {"Accept": "application/json", "Authorization": f"SSWS {token}", "User-Agent": "joiner"}
        # A person, their groups and their applications are asked for at the same time.
        self.http = CLIENTS[os.environ.get("HTTP_CLIENT", "httpx")](headers, 3 * people_at_once)

    async def account(self, address: str) -> dict | None:
        """Most people's login is their e-mail address, by which Okta also gives groups and applications: so all three
        are asked for at once, and only who isn't found so is looked for further."""
        async with tolerant() as asking:
            by_login = asking.create_task(retried(self.user_with_login, address))
            # One attempt each: what fails is asked for again once it is known whose it is.
            groups = asking.create_task(once(self.groups(address)))
            apps = asking.create_task(once(self.app_links(address)))
        user, groups, apps = by_login.result(), groups.result(), apps.result()
        if user is None or user.status == "DEPROVISIONED":
            # A rehire may have a new account with the same address beside the old one.
            found = await retried(self.user_with_address, address)
            if user is None or found is not None and found.status != "DEPROVISIONED":
                user = found
        if user is None:
            return None
        if user.profile.login.lower() != address.lower():
            groups = apps = None
        if groups is None or apps is None:
            async with tolerant() as asking:
                by_id = [
                    asking.create_task(retried(ask, user.id))
                    for ask, answer in ((self.groups, groups), (self.app_links, apps))
                    if answer is None
                ]
            answers = iter(task.result() for task in by_id)
            groups = next(answers) if groups is None else groups
            apps = next(answers) if apps is None else apps
        return stored(user, groups, apps)

    async def user_with_login(self, login: str) -> User | None:
        try:
            return (await self.get(self.user_url(login), USER))[0]
        except NotFound:
            return None

    async def user_with_address(self, address: str) -> User | None:
        """Whatever their status; one who is not deprovisioned goes first."""
        deprovisioned = None
        expression = f"profile.email eq {orjson.dumps(address).decode()}"
        for parameter in ("filter", "search"):
            users, _ = await self.get(f"{self.org_url}/api/v1/users?{urlencode({parameter: expression})}", USERS)
            for user in users:
                if user.status != "DEPROVISIONED":
                    return user
            deprovisioned = deprovisioned or next(iter(users), None)
        return deprovisioned

    async def groups(self, user: str) -> list[Group]:
        return await self.all_pages(f"{self.user_url(user)}/groups?limit=200", GROUPS)

    async def app_links(self, user: str) -> list[AppLink]:
        return await self.all_pages(f"{self.user_url(user)}/appLinks", APP_LINKS)

    def user_url(self, user: str) -> str:
        """By id or login."""
        return f"{self.org_url}/api/v1/users/{quote(user, safe='')}"

    async def all_pages(self, url: str, adapter: TypeAdapter) -> list:
        items = []
        for _ in range(MAX_PAGES):
            page, link = await self.get(url, adapter)
            items += page
            found = link and NEXT.search(link + ";")
            if not found:
                return items
            url = urljoin(self.org_url, found[1])
            if urlsplit(url)[:2] != urlsplit(self.org_url)[:2]:
                raise malformed("a next page on another host")
        raise malformed("pages without end")

    async def get(self, url: str, adapter: TypeAdapter):
        status, headers, link, body = await self.http.get(url)
        if not 200 <= status < 300:
            raise failure(status, headers, body)
        try:
            return adapter.validate_json(body), link
        except ValidationError:
            raise malformed("not the documented JSON") from None


async def retried(ask, *arguments):
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return await ask(*arguments)
        except OktaError as error:
            error.attempts = attempt
            if error.wait is None or attempt == ATTEMPTS:
                raise
            backoff = min(CAP_SECONDS, BASE_SECONDS * 2 ** (attempt - 1) * (1 + random.random()))
            await asyncio.sleep(error.wait + backoff / 4 if error.wait else backoff)


async def once(asking):
    try:
        return await asking
    except OktaError:
        return None


@asynccontextmanager
async def tolerant():
    """A group of tasks whose error is Okta's, if it is one."""
    try:
        async with asyncio.TaskGroup() as tasks:
            yield tasks
    except* OktaError as errors:
        raise errors.exceptions[0] from None


def stored(user: User, groups: list[Group], apps: list[AppLink]) -> dict:
    """Sorted by name, so that two reads of an unchanged directory are equal."""
    account = {"id": user.id, "status": user.status}
    if user.profile.title is not None:
        account["title"] = user.profile.title
    if user.profile.department is not None:
        account["department"] = user.profile.department
    account["groups"] = [
        {"id": group.id, "name": group.profile.name}
        for group in sorted(groups, key=lambda group: (group.profile.name, group.id))
    ]
    account["applications"] = [
        {"id": app.app_instance_id, "name": app.app_name, "label": app.label}
        for app in sorted(apps, key=lambda app: (app.label, app.app_instance_id))
    ]
    return account


def failure(status: int, headers, body: bytes) -> OktaError:
    try:
        code = orjson.loads(body)["errorCode"]
    except (ValueError, LookupError, TypeError):
        code = ""
    if code == "E0000007":
        return NotFound()
    if status == 429 or code == "E0000047":
        return rate_limited(headers)
    if status in (401, 403) or code in ("E0000004", "E0000006", "E0000011"):
        return OktaError("unauthorized", f"Okta refused the credentials with status {status}")
    if status == 408 or status >= 500:
        return OktaError("okta_unavailable", f"Okta failed with status {status}", wait=0)
    return malformed("a request that it should accept was refused" if status == 400 else "an undocumented status")


def rate_limited(headers) -> OktaError:
    limit, remaining = headers.get("x-rate-limit-limit"), headers.get("x-rate-limit-remaining")
    if limit == remaining == "0":
        return OktaError("rate_limited", "Okta's concurrency rate limit is used up for 1s", wait=1)
    reset, date = headers.get("x-rate-limit-reset", ""), headers.get("date")
    # The server's own clock, where it says it: ours may be off by more than the wait.
    now = email.utils.parsedate_to_datetime(date).timestamp() if date else time.time()
    wait = max(1, int(reset) - int(now)) if reset.isdigit() else 60
    return OktaError("rate_limited", f"Okta's org-wide rate limit is used up for {wait}s", wait=wait)


def unreachable() -> OktaError:
    return OktaError("okta_unavailable", "Okta did not answer", wait=0)


def malformed(what: str) -> OktaError:
    return OktaError("okta_malformed", f"Okta's answer is not understood: {what}")
