"""The way to AWS: one Session, clients made when needed and shared, every call on record.

boto3 is imported by the first client, not with this module: `cordon --help` must be quick.
"""

from __future__ import annotations

import contextvars
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

from contract import VERSION
from responders import connection, session
from responders.clients import Clients, How
from responders.connection import READS, NotFromAws, Silent, hurried
from responders.errors import BadInput
from responders.json_values import Json, JsonObject
from responders.permissions import allow

if TYPE_CHECKING:
    import boto3
    from botocore.client import BaseClient
    from botocore.model import OperationModel

T = TypeVar("T")

PERMISSIONS = (
    allow("sts:GetCallerIdentity", because="names the caller in the record"),
    allow("ec2:DescribeRegions", because="lists the regions that are enabled"),
)

UNKNOWN = "unknown"
"""Stands for the caller's ARN where STS did not say."""
CALLER_WAIT = 5.0
"""Seconds that a response waits to know who calls, before it goes on without."""
DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthFailure"}


@dataclass(frozen=True)
class Call:
    """One API call that was made. `error` is AWS's error code, empty when it succeeded."""

    service: str
    operation: str
    region: str
    request_id: str
    error: str


@dataclass(frozen=True)
class Identity:
    """Who calls: account id, ARN, and the partition of both."""

    account: str
    arn: str
    partition: str


@dataclass(frozen=True)
class Access:
    """How to reach AWS; boto3 resolves whatever is None."""

    profile: str | None = None
    region: str | None = None
    role_arn: str | None = None
    external_id: str | None = None
    mfa_serial: str | None = None
    mfa_code: Callable[[], str] | None = field(default=None, compare=False)


class WriteInDryRun(Exception):
    """A dry run was about to change something; the call was not sent."""


_calls: contextvars.ContextVar[list[Call] | None] = contextvars.ContextVar("calls", default=None)


class Aws:
    """An account seen through one boto3 Session.

    `case` goes into the user agent of every call. With `read_only`, a call that could change
    anything raises `WriteInDryRun` before it is sent.
    """

    def __init__(
        self, access: Access | None = None, *, case: str | None = None, read_only: bool = False
    ) -> None:
        self.access = access or Access()
        self.read_only = read_only
        self._case = case
        self._clients: dict[tuple[str, str, int, bool], BaseClient] = {}
        self._behind = timedelta()
        self._caller: Future[Identity] | None = None
        self._caller_asked = 0.0
        self._presumed: Identity | None = None
        self.doubts: list[str] = []
        """What could not be known and did not keep the command from going on, in words."""
        self._lock = threading.RLock()
        self._pool = ThreadPoolExecutor(max_workers=256, thread_name_prefix="cordon")

    # -- clients --

    @cached_property
    def _sessions(self) -> list[boto3.Session]:
        """The session to work with, last, and what it assumed its role with."""
        sessions = session.sources(self.access, self._case)
        events = sessions[-1].events
        events.register("before-call", self._guard)
        events.register("after-call", self._record)
        connection.watch_over(events)
        return sessions

    @property
    def _session(self) -> boto3.Session:
        return self._sessions[-1]

    @property
    def client(self) -> Clients:
        """Gives the shared client of a service in a region (default: `home_region`).

        `attempts` is how often a call is tried: see `responders.host.call_once` for those not to be
        carried out twice. `own_endpoint` goes to the region's own address, where boto3's rules
        send every region to the same one (Support).
        """
        return self._client

    def clients_in(self, region: str) -> Clients:
        """The same, in a region of its own where no other is given."""
        default = region

        def client(service: str, region: str | None = None, **how: Unpack[How]) -> Any:
            return self._client(service, region or default, **how)

        return client

    def _client(
        self,
        service: str,
        region: str | None = None,
        *,
        attempts: int = 5,
        own_endpoint: bool = False,
    ) -> Any:
        where = session.check_region(region) if region else self.home_region
        key = (service, where, attempts, own_endpoint)
        with self._lock:
            if key not in self._clients:
                from botocore.config import Config

                url = None
                if own_endpoint:
                    url = self._client(service, where, attempts=attempts).meta.endpoint_url
                # The stubs have an overload for each service, and none for any.
                make: Any = self._session.client
                self._clients[key] = make(
                    service,
                    region_name=where,
                    endpoint_url=url,
                    config=Config(
                        connect_timeout=connection.CONNECT_TIMEOUT,
                        read_timeout=connection.READ_TIMEOUT,
                        retries={"mode": "standard", "total_max_attempts": attempts},
                        max_pool_connections=32,
                        user_agent_extra=f"cordon/{VERSION} case/{self._case or 'none'}",
                    ),
                )
            return self._clients[key]

    @cached_property
    def home_region(self) -> str:
        """The region given, or the session's own; boto3 itself does not read AWS_REGION."""
        with self._lock:
            region = self.access.region or self._session.region_name or os.environ.get("AWS_REGION")
        if not region:
            raise BadInput(
                "no AWS region to start from",
                "Give --region, or set AWS_REGION in the environment.",
            )
        return session.check_region(str(region))

    # -- who and where --

    @property
    def identity(self) -> Identity:
        """Who calls, from STS in the home region: asked once, for all who want to know.

        Raises what became of the call, unless a caller was presumed.
        """
        return self._presumed or self.ask_caller().result()

    def identity_soon(self) -> Identity | None:
        """Who calls; None when STS does not say so within `CALLER_WAIT` of being asked first.

        For what must go on without: that it is not known is told as a doubt. BadInput goes up, and
        so does any other error that says that the credentials don't work.
        """
        if self._presumed:
            return self._presumed
        asked = self.ask_caller()
        left = self._caller_asked + CALLER_WAIT - time.monotonic()
        try:
            return asked.result(max(0.0, left))
        except Exception as error:
            if bad := session.trouble(error, self.access.profile):
                raise bad from error
            why = explain(error) if str(error) else f"no answer within {CALLER_WAIT:.0f} s"
            self.doubt(
                f"who responded is not in the record, for STS does not say: {why}. Whether the "
                "target is the caller's own identity is not known either"
            )
            return None

    def ask_caller(self) -> Future[Identity]:
        """Begins to ask STS who calls, unless that was begun before."""
        with self._lock:
            if self._caller is None:
                self._caller_asked = time.monotonic()
                self._caller = self.spawn(self._who_calls)
            return self._caller

    def _who_calls(self) -> Identity:
        with hurried():
            answer = self.client("sts").get_caller_identity()
        self._behind = behind(answer, datetime.now(UTC))
        arn = str(answer["Arn"])
        return Identity(str(answer["Account"]), arn, arn.split(":")[1])

    def presume(self, account: str, region: str) -> Identity:
        """Takes the caller to be of an account, from here on: for when STS does not answer."""
        with self._lock:
            partition = str(self._session.get_partition_for_region(region))
        self._presumed = Identity(account, UNKNOWN, partition)
        return self._presumed

    def doubt(self, text: str) -> None:
        """Notes what could not be known, for the report: it is then not complete."""
        with self._lock:
            if text not in self.doubts:
                self.doubts.append(text)

    @property
    def clock_behind(self) -> timedelta:
        """How far this machine's clock is behind AWS's; zero when it is ahead, or by a second.

        Zero too when STS did not answer.
        """
        if self._presumed is None:
            _ = self.identity
        return self._behind

    def now(self) -> datetime:
        """The time by AWS's clock (UTC), never earlier than by this machine's."""
        return datetime.now(UTC) + self.clock_behind

    @property
    def key_ids(self) -> frozenset[str]:
        """Ids of the access keys in use: the session's, and of what it assumed its role with."""
        with self._lock:
            found = [source.get_credentials() for source in self._sessions]
        return frozenset(str(c.access_key) for c in found if c is not None)

    @cached_property
    def regions(self) -> tuple[str, ...]:
        """The regions enabled for the account, sorted."""
        answer = self.client("ec2").describe_regions(AllRegions=False)
        return tuple(sorted(str(r["RegionName"]) for r in answer["Regions"]))

    @property
    def regions_to_search(self) -> tuple[str, ...]:
        """The enabled regions; when EC2 does not say which those are, all that botocore knows.

        That it does not is told as a doubt: a region newer than this botocore is not searched.
        """
        try:
            with hurried():
                return self.regions
        except Exception as error:
            if bad := session.trouble(error, self.access.profile):
                raise bad from error
            with self._lock:
                partition = self._session.get_partition_for_region(self.home_region)
                known = tuple(sorted(self._session.get_available_regions("ec2", partition)))
            self.doubt(
                f"which regions are enabled is not known ({explain(error)}): the {len(known)} that "
                "this version of cordon knows were searched"
            )
            return known

    def chosen_regions(self, listed: str | None) -> tuple[str, ...]:
        """The regions of a comma-separated list, or all enabled ones; BadInput for any other."""
        if not listed:
            return self.regions
        wanted = tuple(dict.fromkeys(name.strip() for name in listed.split(",") if name.strip()))
        unknown = sorted(set(wanted) - set(self.regions))
        if unknown or not wanted:
            raise BadInput(
                f"not enabled for this account: {', '.join(unknown) or listed!r}",
                f"Choose from {', '.join(self.regions)}.",
            )
        return wanted

    # -- doing several things at once --

    def spawn(self, work: Callable[..., T], *args: Any) -> Future[T]:
        """Runs `work` in a thread; its calls count for the step that spawned it."""
        return self._pool.submit(contextvars.copy_context().run, work, *args)

    def each(self, work: Callable[[T], object], items: list[T]) -> None:
        """Does `work` on every item at once; a failure stops no other, and is raised at the end."""
        futures = [(item, self.spawn(work, item)) for item in items]
        failures = [(item, f.exception()) for item, f in futures]
        told = [f"{item}: {explain(error)}" for item, error in failures if error]
        if told:
            raise SomeFailed(told)

    # -- the record of calls --

    def _guard(self, model: OperationModel, **_: object) -> None:
        if self.read_only and not model.name.startswith(READS):
            raise WriteInDryRun(f"{model.service_model.service_name}:{model.name}")

    def _record(
        self, model: OperationModel, parsed: JsonObject, context: JsonObject, **_: object
    ) -> None:
        calls = _calls.get()
        if calls is not None:
            meta = parsed.get("ResponseMetadata", {})
            calls.append(
                Call(
                    str(model.service_model.service_name),
                    str(model.name),
                    str(context.get("client_region", "")),
                    str(meta.get("RequestId", "")),
                    str(parsed.get("Error", {}).get("Code", "")),
                )
            )


def pages(client: BaseClient, operation: str, field: str, **params: object) -> list[Json]:
    """All entries of a paged operation, for one whose name is known only at run time."""
    paginator = client.get_paginator(operation)
    return [entry for page in paginator.paginate(**params) for entry in page[field]]


class SomeFailed(Exception):
    """Some of several things done at once failed; `told` has a line for each."""

    def __init__(self, told: list[str]) -> None:
        super().__init__("; ".join(told))
        self.told = told


@contextmanager
def recording() -> Iterator[list[Call]]:
    """Collects the calls made inside, also those of threads that `spawn` starts inside."""
    calls: list[Call] = []
    token = _calls.set(calls)
    try:
        yield calls
    finally:
        _calls.reset(token)


def behind(answer: Mapping[str, Json], now: datetime) -> timedelta:
    """How far `now` is behind the time that AWS gave in an answer's `Date` header.

    The header has whole seconds, is from before the answer came, and is always in GMT (RFC 9110):
    up to two seconds are none.
    """
    date = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
    try:
        lag = parsedate_to_datetime(date).replace(tzinfo=UTC) - now if date else timedelta()
    except ValueError:  # a proxy's own idea of a date
        return timedelta()
    return lag if lag > timedelta(seconds=2) else timedelta()


def code_of(error: BaseException) -> str:
    """AWS's code of an error, or the empty string when AWS did not answer with one."""
    response = getattr(error, "response", None)
    if not isinstance(response, Mapping):
        return ""
    return str(response.get("Error", {}).get("Code", ""))


def is_denied(error: BaseException) -> bool:
    """Whether AWS refused for lack of permission."""
    return code_of(error) in DENIED


@contextmanager
def expecting(*codes: str) -> Iterator[None]:
    """Lets errors of exactly these AWS codes pass; every other goes up."""
    try:
        yield
    except Exception as error:
        if code_of(error) not in codes:
            raise


def explain(error: BaseException) -> str:
    """One line for people: what failed, with AWS's own code and words where it has them."""
    code = code_of(error)
    operation = str(getattr(error, "operation_name", ""))
    if code:
        response: Any = error.response  # type: ignore[attr-defined]
        return f"{operation}: {code}: {response['Error'].get('Message', '')}".strip(": ")
    text = str(error).strip()
    if isinstance(error, SomeFailed | NotFromAws | Silent):
        return text
    kind = type(error).__name__
    return ": ".join(filter(None, (operation, kind, text)))
