"""One bad member never takes the rest: each action on several things, with one of them failing.

The cases come from what a clean run calls: an operation that is called for several members (an
interface, a volume, a key …) meets a fault for one of them. Then the calls for all the others must
have been made all the same, the bad one be named, and the exit code not be 0. The suite has one bad
member of every operation in the same run; `make torture` has each by itself.
"""

from __future__ import annotations

import json
import os
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from lab.calls import Calls
from lab.calls import Seen as Call
from lab.faults import Faults
from lab.gate.call import Call as Request
from lab.inprocess import reset
from tests.conftest import AwsLab
from tests.responders.conftest import REGION, Answer, Cordon, build
from tests.responders.evidence import add_volumes, prepare_key
from tests.responders.lookups import share_clients
from tests.responders.people import populate

Operation = tuple[str, str]
TRANSIENT = {"ClientToken"}
"""Parameters that differ from call to call though the member is the same."""
OF_THE_KIT = {"s3", "sts"}
"""Services of the record: `tests/responders/record` has their faults."""
CODE = "IncorrectState"
"""An error that is neither retried nor expected anywhere."""


def member_of(params: Mapping[str, Any]) -> str:
    """What a call is about: an interface, else all its parameters, in an order of their own."""
    if "NetworkInterfaceId" in params:
        return str(params["NetworkInterfaceId"])
    chosen = {key: value for key, value in params.items() if key not in TRANSIENT}
    return json.dumps(chosen, sort_keys=True, default=str)


def words_in(value: Any) -> set[str]:
    """Every string in parameters."""
    if isinstance(value, Mapping):
        return {word for entry in value.values() for word in words_in(entry)}
    if isinstance(value, list | tuple):
        return {word for entry in value for word in words_in(entry)}
    return {str(value)}


@dataclass
class BadMember:
    """Fails every call for one member of an operation: the one that comes as `number`, from 0."""

    number: int = 0
    members: list[str] = field(default_factory=list)
    params: Mapping[str, Any] = field(default_factory=dict)

    def is_hit(self, request: Request) -> bool:
        """Whether this call is for the bad member."""
        if "cordon/" not in request.user_agent:
            return False
        member = member_of(request.params)
        if member not in self.members:
            self.members.append(member)
        is_bad = self.members.index(member) == self.number
        if is_bad:
            self.params = request.params
        return is_bad


def instance(lab: AwsLab) -> tuple[str, ...]:
    """Two interfaces, three volumes, an Elastic IP, two target groups, two denied networks."""
    scenario = build(lab)
    prepare_key(scenario)
    add_volumes(scenario, 2)
    ec2, elbv2 = scenario.client("ec2"), scenario.client("elbv2")
    for eni in scenario.enis:
        address = ec2.allocate_address(Domain="vpc")["AllocationId"]
        ec2.associate_address(AllocationId=address, NetworkInterfaceId=eni)
    for name in ("web", "api"):
        group = elbv2.create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=scenario.vpc)
        elbv2.register_targets(
            TargetGroupArn=group["TargetGroups"][0]["TargetGroupArn"],
            Targets=[{"Id": scenario.instance, "Port": 80}],
        )
    return (
        *("instance", scenario.instance, "--region", REGION),
        *("--nacl", "203.0.113.5/32", "--nacl", "203.0.113.9/32"),
    )


def user(lab: AwsLab) -> tuple[str, ...]:
    """A user with keys, a certificate, an SSH key and a service password."""
    populate(lab)
    return ("user", "alice", "--region", REGION)


COMMANDS: Mapping[str, Callable[[AwsLab], tuple[str, ...]]] = {"instance": instance, "user": user}


@dataclass
class Bench:
    """Runs a command, and then its release, each time in an account made anew."""

    lab: AwsLab
    cordon: Cordon
    calls: Calls
    faults: Faults

    def run(
        self, command: str, *, releases: bool, faulted: Mapping[Operation, int] | None = None
    ) -> tuple[Answer, list[Call], dict[Operation, BadMember]]:
        """The answer and the changing calls of the command, or of its release, under the faults.

        `faulted` are operations, with the number of the member for which each fails.
        """
        reset()
        shutil.rmtree(self.lab.home, ignore_errors=True)
        words = (*COMMANDS[command](self.lab), "--case", "IR-7", "--json")
        if releases:
            self.cordon(*words)
            words = ("release", words[1], "--case", "IR-7", "--json")
        bad = {operation: BadMember(number) for operation, number in (faulted or {}).items()}
        for operation, member in bad.items():
            self.faults.fail(*operation, CODE, only=member.is_hit)
        self.calls.clear()
        answer = self.cordon(*words)
        self.faults.clear()
        changes = [
            call
            for call in self.calls.mutating
            if "cordon/" in call.user_agent and call.service not in OF_THE_KIT
        ]
        return answer, changes, bad


@pytest.fixture
def bench(
    aws_lab: AwsLab, cordon: Cordon, calls: Calls, faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> Bench:
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)
    share_clients(monkeypatch)
    return Bench(aws_lab, cordon, calls, faults)


def by_operation(changes: list[Call]) -> dict[Operation, dict[str, Mapping[str, Any]]]:
    """Operation to the members that it was called for, with the parameters of the call."""
    found: dict[Operation, dict[str, Mapping[str, Any]]] = defaultdict(dict)
    for call in changes:
        found[call.service, call.operation][member_of(call.params)] = call.params
    return found


def own_words(params: Mapping[str, Any], others: list[Mapping[str, Any]]) -> set[str]:
    """The strings by which a member differs from some other one."""
    common = set.intersection(*(words_in(other) for other in others)) if others else set()
    return words_in(params) - common


def complaints(
    answer: Answer,
    changes: list[Call],
    bad: Mapping[Operation, BadMember],
    clean: Mapping[Operation, dict[str, Mapping[str, Any]]],
) -> list[str]:
    """What is wrong with how a run with bad members ended."""
    text = answer.out + answer.err
    wrong = [] if answer.code in (1, 3) else [f"exit {answer.code}"]
    for operation, member in bad.items():
        names = own_words(member.params, list(clean[operation].values()))
        if not member.params:
            wrong.append(f"{operation[1]}: the fault met no call")
        elif f"{operation[1]}: {CODE}" not in text:
            wrong.append(f"{operation[1]}: the error is not told")
        elif not any(name in text for name in {*names, NAMED_BY.get(operation[1], "")} - {""}):
            wrong.append(f"{operation[1]}: none of {sorted(names)} is named")
    # Of a faulted operation every other member; of all others, no fewer than in a clean run.
    made = by_operation([call for call in changes if not call.error])
    for operation, members in clean.items():
        least = len(members) - (operation in bad)
        if len(made.get(operation, {})) < least and not depends(operation, bad):
            wrong.append(f"{operation[1]}: {len(made.get(operation, {}))} of {least} members")
    return wrong


NAMED_BY = {"DisassociateAddress": "eipalloc-"}
"""What a member is named by, where it is not a parameter of the call."""
DEPENDS: Mapping[str, set[str]] = {
    "CreateSnapshots": {"CreateTags", "CopySnapshot", "LockSnapshot", "ModifySnapshotAttribute"},
    "CopySnapshot": {"LockSnapshot", "ModifySnapshotAttribute"},
}
"""What is done with what an operation makes: it can't be done with a member that was not made."""


def depends(operation: Operation, bad: Iterable[Operation]) -> bool:
    """Whether an operation works on what one of the faulted makes."""
    return any(operation[1] in DEPENDS.get(name, set()) for _, name in bad)


@pytest.mark.parametrize("releases", [False, True], ids=["contain", "release"])
@pytest.mark.parametrize("command", COMMANDS)
def test_one_bad_member_of_every_operation(bench: Bench, command: str, releases: bool) -> None:
    clean = clean_run(bench, command, releases)
    makers = {o: 0 for o in several(clean) if o[1] in DEPENDS}
    others = {o: 0 for o in several(clean) if o not in makers}
    for faulted in filter(None, (others, makers)):
        run = bench.run(command, releases=releases, faulted=faulted)
        assert complaints(*run, clean) == []


@pytest.mark.torture
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("releases", [False, True], ids=["contain", "release"])
@pytest.mark.parametrize("command", COMMANDS)
def test_every_bad_member_by_itself(bench: Bench, command: str, releases: bool) -> None:
    clean = clean_run(bench, command, releases)
    wrong = {}
    for operation, members in several(clean).items():
        for number in range(len(members)):
            run = bench.run(command, releases=releases, faulted={operation: number})
            if complaint := complaints(*run, clean):
                wrong[f"{':'.join(operation)} {number}"] = complaint
    assert wrong == {}


def clean_run(
    bench: Bench, command: str, releases: bool
) -> dict[Operation, dict[str, Mapping[str, Any]]]:
    answer, changes, _ = bench.run(command, releases=releases)
    assert answer.code in (0, 3), answer.err
    return by_operation(changes)


def several(
    clean: Mapping[Operation, dict[str, Mapping[str, Any]]],
) -> dict[Operation, dict[str, Mapping[str, Any]]]:
    """The operations that are called for more than one member; there must be some."""
    operations = {operation: members for operation, members in clean.items() if len(members) > 1}
    assert operations
    return operations
