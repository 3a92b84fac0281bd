"""Every command of the matrix: how it is staged and called, and what AWS says once it worked.

A look-up is a read that a command makes before its first change. The clean run of each command
tells which those are; nobody has to list them.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest

from lab.calls import Calls
from lab.calls import Seen as Call
from lab.faults import Faults
from lab.gate import call as lab_call
from lab.inprocess import reset
from responders import connection
from responders.aws import Access, Aws
from tests.conftest import AwsLab
from tests.responders.conftest import REGION, Answer, Cordon, Scenario, build
from tests.responders.people import People, populate

QUICK = ("--no-snapshot", "--dwell", "0", "--keep-imds")

Fault = Callable[[Faults, str, str], None]


def _by_cordon(call: lab_call.Call) -> bool:
    return "cordon/" in call.user_agent


FAULTS: Mapping[str, Fault] = {
    "denied": lambda f, service, name: f.deny(service, name, only=_by_cordon),
    "throttled": lambda f, service, name: f.throttle(service, name, only=_by_cordon),
    "500": lambda f, service, name: f.fail(
        service, name, "InternalError", status=500, only=_by_cordon
    ),
    "lost": lambda f, service, name: f.unreachable(service, name, only=_by_cordon),
    "hanging": lambda f, service, name: f.hang(service, name, seconds=3600, only=_by_cordon),
    "garbage": lambda f, service, name: f.garble(service, name, only=_by_cordon),
    "portal": lambda f, service, name: f.captive_portal(service, name, only=_by_cordon),
}
CONTAIN = {
    "ModifyNetworkInterfaceAttribute",
    "PutRolePolicy",
    "PutUserPolicy",
    "UpdateAccessKey",
}
SCALE = 25.0
"""How much shorter than in earnest a read in a hurry waits."""


@dataclass
class Stage:
    """An account as one command finds it, made anew for each try."""

    lab: AwsLab
    scenario: Scenario | None = None
    people: People | None = None
    words: tuple[str, ...] = ()
    contained: Callable[[], bool] = lambda: False


def _instance(lab: AwsLab) -> tuple[Scenario, Stage]:
    scenario = build(lab)

    def contained() -> bool:
        """Closed by a group that lets nothing through, whichever it is."""
        groups = scenario.groups()
        used = {group for ids in groups.values() for group in ids}
        described = scenario.client("ec2").describe_security_groups(GroupIds=sorted(used))
        return set(map(len, groups.values())) == {1} and not any(
            group["IpPermissions"] or group["IpPermissionsEgress"]
            for group in described["SecurityGroups"]
        )

    return scenario, Stage(lab, scenario=scenario, contained=contained)


def by_id(lab: AwsLab) -> Stage:
    """`cordon instance` with the id and the region."""
    scenario, stage = _instance(lab)
    stage.words = ("instance", scenario.instance, "--region", REGION, *QUICK)
    return stage


def anywhere(lab: AwsLab) -> Stage:
    """`cordon instance` with the id alone."""
    scenario, stage = _instance(lab)
    stage.words = ("instance", scenario.instance, *QUICK)
    return stage


def by_address(lab: AwsLab) -> Stage:
    """`cordon instance` with a private address."""
    scenario, stage = _instance(lab)
    described = scenario.client("ec2").describe_instances(InstanceIds=[scenario.instance])
    address = described["Reservations"][0]["Instances"][0]["PrivateIpAddress"]
    stage.words = ("instance", address, *QUICK)
    return stage


def key(lab: AwsLab) -> Stage:
    """`cordon key`."""
    people = populate(lab)
    return Stage(
        lab,
        people=people,
        words=("key", people.key, "--no-hunt", "--region", REGION),
        contained=lambda: (
            people.statuses()[people.key] == "Inactive"
            and f"cordon-deny-IR-7@{people.key}" in people.inline()
        ),
    )


def user(lab: AwsLab) -> Stage:
    """`cordon user`."""
    people = populate(lab)
    return Stage(
        lab,
        people=people,
        words=("user", "alice", "--region", REGION),
        contained=lambda: any(name.startswith("cordon-deny") for name in people.inline()),
    )


def role(lab: AwsLab) -> Stage:
    """`cordon role`."""
    people = populate(lab)
    return Stage(
        lab,
        people=people,
        words=("role", "deployer", "--region", REGION),
        contained=lambda: any(
            name.startswith("cordon-deny") for name in people.inline("deployer", "role")
        ),
    )


COMMANDS: Mapping[str, Callable[[AwsLab], Stage]] = {
    "instance-by-id": by_id,
    "instance-anywhere": anywhere,
    "instance-by-address": by_address,
    "key": key,
    "user": user,
    "role": role,
}


SETTLED = {
    ("sts", "GetAccessKeyInfo"),
    ("iam", "GetAccessKeyLastUsed"),
    ("iam", "ListAttachedRolePolicies"),
    ("iam", "ListAttachedUserPolicies"),
    ("iam", "ListRolePolicies"),
    ("iam", "ListUserPolicies"),
    # The vault's, in the background: what it must prove is judged with the record.
    ("ec2", "DescribeRegions"),
    ("kms", "DescribeKey"),
    ("ssm", "GetParameter"),
}
"""Look-ups in whose place another answers all the same, so that nothing remains unknown."""


@dataclass
class Trial:
    """One run of one command under one fault."""

    answer: Answer
    contained: bool
    calls: list[Call] = field(default_factory=list)
    waited: float = 0.0
    """Seconds, in earnest, for which hurried reads hung until AWS said that it was contained; where
    they overlap they count once."""
    impatient: int = 0
    """Reads without a hurry that were waited out before that: containment waited for them, for they
    take far longer than all the rest."""

    @property
    def lookups(self) -> list[tuple[str, str]]:
        """Service and operation of the reads before the last change that contains, each once.

        Without those of S3, which only the vault makes, in the background.
        """
        changes = [n for n, call in enumerate(self.calls) if call.operation in CONTAIN]
        before = [call for call in self.calls[: changes[-1]] if call.service != "s3"]
        return sorted({(call.service, call.operation) for call in before if not call.mutating})


class Matrix:
    """Runs commands under faults, each in an account made anew; clients are shared."""

    def __init__(self, lab: AwsLab, cordon: Cordon, calls: Calls, faults: Faults) -> None:
        self.lab, self.cordon, self.calls, self.faults = lab, cordon, calls, faults
        self.waits: list[tuple[float, float, float]] = []

    def run(self, command: str, fault: str = "", service: str = "", name: str = "") -> Trial:
        """One run; without a fault a clean one."""
        reset()
        shutil.rmtree(self.lab.home, ignore_errors=True)
        connection.forget_silence()
        stage = COMMANDS[command](self.lab)
        if fault:
            FAULTS[fault](self.faults, service, name)
        closed: list[float] = []

        def changed(_call: object) -> None:
            """Ends the fault that hangs once it is contained: what follows would wait in vain."""
            if fault == "hanging" and stage.contained():
                closed.append(time.monotonic())
                self.waits = list(self.faults.waits)
                self.faults.clear()

        for change in CONTAIN:
            self.faults.after("*", change, changed)
        self.calls.clear()
        answer = self.cordon(*stage.words, "--case", "IR-7", "--json")
        waits = self.waits if closed else list(self.faults.waits)
        self.faults.clear()
        made = [call for call in self.calls if "cordon/" in call.user_agent]
        patient = connection.READ_TIMEOUT
        return Trial(
            answer,
            stage.contained(),
            made,
            _union([(begin, end) for begin, end, limit in waits if limit < patient]) * SCALE,
            sum(limit >= patient and end - begin >= limit for begin, end, limit in waits),
        )


def _union(waits: list[tuple[float, float]]) -> float:
    total, until = 0.0, 0.0
    for begin, end in sorted(waits):
        total += max(0.0, end - max(begin, until))
        until = max(until, end)
    return total


def shortened() -> Mapping[str, float]:
    """The limits of hurried reads in `responders.connection`, and a long one for all others."""
    short = {
        name: getattr(connection, name) / SCALE
        for name in ("HURRIED_READ_TIMEOUT", "HURRIED_RETRIES")
    }
    return {**short, "READ_TIMEOUT": 5.0}


def share_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets all commands of a test use one session: to make clients takes longer than a command."""
    client, shared = Aws._client, Aws(Access(region=REGION))
    monkeypatch.setattr(Aws, "_sessions", shared._sessions)
    monkeypatch.setattr(
        Aws,
        "_client",
        lambda self, service, region=None, **how: client(
            shared, service, region or self.home_region, **how
        ),
    )
