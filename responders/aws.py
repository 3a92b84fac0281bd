"""The way to AWS: one Session, clients made when needed and shared, every call on record.

boto3 is imported by the first client, not with this module: `cordon --help` must be quick.
"""

from __future__ import annotations

import contextvars
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar, Unpack

from contract import READING_VERBS, VERSION
from responders.clients import Clients, How
from responders.errors import BadInput
from responders.json_values import Json, JsonObject
from responders.permissions import allow

if TYPE_CHECKING:
    from boto3 import Session
    from botocore.client import BaseClient
    from botocore.model import OperationModel

T = TypeVar("T")

PERMISSIONS = (
    allow("sts:GetCallerIdentity", because="names the caller in the record"),
    allow("ec2:DescribeRegions", because="lists the regions that are enabled"),
)

READS = (*READING_VERBS, "Filter", "StartQuery")
"""Operations that begin so change nothing. A dry run lets no other through."""
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
        self._sources: list[Session] = []
        self._behind = timedelta()
        self._lock = threading.RLock()
        self._pool = ThreadPoolExecutor(max_workers=256, thread_name_prefix="cordon")

    # -- clients --

    @cached_property
    def _session(self) -> Session:
        import boto3
        from botocore.exceptions import BotoCoreError

        try:
            session = boto3.Session(profile_name=self.access.profile)
            self._sources = [session]
            if self.access.role_arn:
                session = self._assumed(session, self.access.role_arn)
                self._sources.append(session)
        except BotoCoreError as error:
            raise BadInput(f"no session with AWS: {error}", "Check --profile.") from error
        session.events.register("before-call", self._guard)
        session.events.register("after-call", self._record)
        return session

    def _assumed(self, session: Session, role_arn: str) -> Session:
        """A session of the role, renewed by itself (one hour at a time, unless MFA was used)."""
        import boto3
        from botocore.credentials import (
            AssumeRoleCredentialFetcher,
            DeferredRefreshableCredentials,
        )
        from botocore.session import get_session

        extra: dict[str, str] = {"RoleSessionName": f"cordon-{self._case or 'responder'}"[:64]}
        if self.access.external_id:
            extra["ExternalId"] = self.access.external_id
        if self.access.mfa_serial:
            extra["SerialNumber"] = self.access.mfa_serial
        region = self.access.region or session.region_name

        def regional(service: str, **options: Any) -> Any:
            return session._session.create_client(service, region_name=region, **options)

        fetcher = AssumeRoleCredentialFetcher(
            client_creator=regional,
            source_credentials=session.get_credentials(),
            role_arn=role_arn,
            extra_args=extra,
            mfa_prompter=lambda _prompt: self.access.mfa_code() if self.access.mfa_code else "",
        )
        # botocore has no public way to give a session credentials that refresh themselves.
        inner: Any = get_session()
        inner._credentials = DeferredRefreshableCredentials(
            method="assume-role", refresh_using=fetcher.fetch_credentials
        )
        return boto3.Session(botocore_session=inner, region_name=region)

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
        where = region or self.home_region
        key = (service, where, attempts, own_endpoint)
        with self._lock:
            if key not in self._clients:
                from botocore.config import Config

                url = None
                if own_endpoint:
                    url = self._client(service, where, attempts=attempts).meta.endpoint_url
                create: Callable[..., BaseClient] = self._session.client
                self._clients[key] = create(
                    service,
                    region_name=where,
                    endpoint_url=url,
                    config=Config(
                        connect_timeout=5,
                        read_timeout=30,
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
        return str(region)

    # -- who and where --

    @cached_property
    def identity(self) -> Identity:
        """Who calls, from STS in the home region."""
        answer = self.client("sts").get_caller_identity()
        self._behind = behind(answer, datetime.now(UTC))
        arn = str(answer["Arn"])
        return Identity(str(answer["Account"]), arn, arn.split(":")[1])

    def presume(self, account: str, region: str) -> Identity:
        """Takes the caller to be of an account, from here on: for when STS does not answer."""
        with self._lock:
            partition = str(self._session.get_partition_for_region(region))
        presumed = Identity(account, "unknown", partition)
        self.__dict__["identity"] = presumed
        return presumed

    @property
    def clock_behind(self) -> timedelta:
        """How far this machine's clock is behind AWS's; zero when it is ahead, or by a second.

        Zero too when STS did not answer.
        """
        _ = self.identity
        return self._behind

    def now(self) -> datetime:
        """The time by AWS's clock (UTC), never earlier than by this machine's."""
        return datetime.now(UTC) + self.clock_behind

    @property
    def key_ids(self) -> frozenset[str]:
        """Ids of the access keys in use: the session's, and of what it assumed its role with."""
        _ = self.identity  # the session is there, and works
        found = [source.get_credentials() for source in self._sources]
        return frozenset(str(c.access_key) for c in found if c is not None)

    @cached_property
    def regions(self) -> tuple[str, ...]:
        """The regions enabled for the account, sorted."""
        answer = self.client("ec2").describe_regions(AllRegions=False)
        return tuple(sorted(str(r["RegionName"]) for r in answer["Regions"]))

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
    if code:
        response: Any = error.response  # type: ignore[attr-defined]
        operation = getattr(error, "operation_name", "")
        return f"{operation}: {code}: {response['Error'].get('Message', '')}".strip(": ")
    text = str(error).strip()
    if isinstance(error, SomeFailed):
        return text
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
