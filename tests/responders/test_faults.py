"""Misfortune at every call that the whole instance playbook makes: denied, throttled, lost.

Whatever happens: the outcome is what AWS says, no step claims what is not so, a failure is never
exit 0, and a network that was closed is not opened again. A lost call was carried out, and only its
answer did not come. All three befall every call of the operation, so retries don't help.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from itertools import count

import pytest

from lab.calls import Calls
from lab.calls import Seen as Call
from lab.faults import Faults
from lab.inprocess import reset
from responders.aws import Access, Aws, explain
from responders.errors import CordonError
from responders.outcome import Report
from responders.playbooks.instance import InstanceOptions
from responders.respond import Request, respond
from responders.result import Failed, holds
from tests.conftest import AwsLab
from tests.responders.conftest import REGION, build
from tests.responders.workload import FULL, Workload, hurry

CHANGES = ("autoscaling:DetachInstances", "ec2:ModifyNetworkInterfaceAttribute")
"""What is changed on the way to a closed network."""
KINDS = ("deny", "throttle", "lose")
CONTAINMENT = (
    "ec2:DescribeInstances",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSecurityGroups",
    "ec2:ModifyNetworkInterfaceAttribute",
    "autoscaling:DescribeAutoScalingInstances",
    "autoscaling:DetachInstances",
    "ssm:GetParameter",
    "sts:GetCallerIdentity",
)
"""What the way to a closed network calls: each befallen alone."""
OTHERS = (
    "cloudtrail:LookupEvents",
    "ec2:CopySnapshot",
    "ec2:CreateNetworkAclEntry",
    "ec2:CreateSnapshots",
    "ec2:CreateTags",
    "ec2:DescribeAddresses",
    "ec2:DescribeFlowLogs",
    "ec2:DescribeIamInstanceProfileAssociations",
    "ec2:DescribeImages",
    "ec2:DescribeInstanceAttribute",
    "ec2:DescribeInstanceTypes",
    "ec2:DescribeLockedSnapshots",
    "ec2:DescribeNetworkAcls",
    "ec2:DescribeRouteTables",
    "ec2:DescribeSnapshotAttribute",
    "ec2:DescribeSnapshots",
    "ec2:DescribeTags",
    "ec2:DescribeVolumes",
    "ec2:DescribeVpcAttribute",
    "ec2:DescribeVpcEndpoints",
    "ec2:DisassociateAddress",
    "ec2:GetConsoleOutput",
    "ec2:GetConsoleScreenshot",
    "ec2:LockSnapshot",
    "ec2:ModifyInstanceAttribute",
    "ec2:ModifyInstanceMetadataOptions",
    "ec2:ModifySnapshotAttribute",
    "ec2:ReplaceIamInstanceProfileAssociation",
    "ec2:StopInstances",
    "elb:DeregisterInstancesFromLoadBalancer",
    "elb:DescribeLoadBalancers",
    "elbv2:DeregisterTargets",
    "elbv2:DescribeLoadBalancers",
    "elbv2:DescribeTargetGroups",
    "elbv2:DescribeTargetHealth",
    "iam:GetInstanceProfile",
    "iam:GetRole",
    "iam:GetRolePolicy",
    "iam:ListAttachedRolePolicies",
    "iam:ListRolePolicies",
    "iam:PutRolePolicy",
    "s3:GetObject",
    "s3:ListObjectVersions",
    "s3:ListObjectsV2",
    "s3:GetBucketEncryption",
    "s3:GetBucketVersioning",
    "s3:GetObjectLockConfiguration",
    "s3:ListObjectVersions",
    "s3:PutObject",
    "ssm:DescribeInstanceInformation",
    "ssm:GetCommandInvocation",
    "ssm:ListCommandInvocations",
    "ssm:ListCommands",
    "ssm:ListInventoryEntries",
    "ssm:SendCommand",
)
"""All else: befallen together, for no step may care about another's misfortune."""
CONTAIN_ONLY = replace(
    FULL, evidence_first=False, memory=False, host_firewall=False, stop=False, snapshot=False
)


class Trial:
    """One run on a new account, and what there is to say about it."""

    def __init__(self, lab: AwsLab, calls: Calls, faults: Faults, case: str) -> None:
        reset()
        self.workload, self.case = Workload(build(lab)), case
        self.calls, self.faults = calls, faults
        self.error: Exception | None = None
        self.report: Report | None = None
        self.seen: list[Call] = []

    def run(self, kind: str, operations: tuple[str, ...], options: InstanceOptions) -> set[str]:
        """Runs the playbook under the misfortune, then ends it; gives what it befell."""
        for operation in operations:
            getattr(self.faults, kind)(*operation.split(":"))
        target = self.workload.scenario.instance
        request = Request("instance", target, self.case, "alice", Access(region=REGION), options)
        self.calls.clear()
        try:
            self.report = respond(request)
        except Exception as error:
            self.error = error
        self.faults.clear()
        seen = [call for call in self.calls if "cordon/" in call.user_agent]
        self.seen += seen
        return {call.action for call in seen if call.error and call.action in operations}

    def complaints(self) -> list[str]:
        """What is wrong with how the run ended."""
        return [*self._untrue(), *self._opened()]

    def _untrue(self) -> list[str]:
        isolated = self.workload.isolated()
        if self.report is None:
            told = explain(self.error) if self.error else "neither a report nor an error"
            expected = isinstance(self.error, CordonError) or hasattr(self.error, "response")
            return ([] if expected else [f"unexpected: {told}"]) + (
                [f"contained, and reported as an error: {told}"] if isolated else []
            )
        report, told = self.report, []
        claims = report.outcome in ("contained", "already-contained")
        if claims != isolated:
            told.append(f"the outcome is {report.outcome}, and isolated is {isolated}")
        if (report.exit_code == 1) != (not isolated):
            told.append(f"exit code {report.exit_code}, and isolated is {isolated}")
        failed = [s.name for s in report.steps if isinstance(s.result, Failed)]
        if failed and report.exit_code == 0:
            told.append(f"exit code 0, and {failed} failed")
        told += [f"{name} claims what is not so" for name in self.workload.lies(report.steps)]
        return told

    def _opened(self) -> list[str]:
        """Interfaces that were closed and got other groups again, or were left open for all."""
        scenario = self.workload.scenario
        told, closed = [], set()
        for call in self.seen:
            groups = call.params.get("Groups")
            if call.operation != "ModifyNetworkInterfaceAttribute" or groups is None:
                continue
            eni = call.params["NetworkInterfaceId"]
            if eni in closed and groups != [scenario.isolate]:
                told.append(f"{eni} was closed, and was given {groups}")
            if call.error in ("", "lost") and groups == [scenario.isolate]:
                closed.add(eni)
        told += [
            f"{eni} was left open for everything"
            for eni, groups in scenario.groups().items()
            if scenario.untrack in groups
        ]
        return told


@pytest.fixture
def trial(
    aws_lab: AwsLab, calls: Calls, faults: Faults, monkeypatch: pytest.MonkeyPatch
) -> Callable[[], Trial]:
    """Makes a trial; each time the account is new. All share their clients, and no disk is slow."""
    hurry(monkeypatch)
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)
    client, shared = Aws._client, Aws(Access(region=REGION))
    monkeypatch.setattr(
        Aws,
        "_client",
        lambda self, name, region=None, **how: client(shared, name, region or REGION, **how),
    )
    numbers = count(1)
    return lambda: Trial(aws_lab, calls, faults, f"IR-{next(numbers)}")


def test_every_operation_is_listed(trial: Callable[[], Trial]) -> None:
    """The lists above are what the playbook calls, no more and no less."""
    one = trial()
    one.run("", (), FULL)
    assert one.complaints() == []
    assert one.report is not None
    assert (one.report.outcome, one.report.exit_code) == ("contained", 0), one.report.steps
    assert all(holds(step.result) for step in one.report.steps), one.report.steps
    called = {call.action for call in one.seen}
    assert called == {*CONTAINMENT, *OTHERS}


@pytest.mark.parametrize(
    "operation",
    [
        # Each look-up meets a fault in `test_lookups.py` too: `make torture` has the whole product.
        pytest.param(operation, marks=[] if operation in CHANGES else [pytest.mark.torture])
        for operation in CONTAINMENT
    ],
)
def test_on_the_way_to_a_closed_network(trial: Callable[[], Trial], operation: str) -> None:
    for kind in KINDS:
        one = trial()
        assert one.run(kind, (operation,), CONTAIN_ONLY) == {operation}, kind
        assert one.complaints() == [], kind


@pytest.mark.parametrize(
    "kind", [pytest.param(k, marks=[] if k == "lose" else [pytest.mark.torture]) for k in KINDS]
)
def test_anywhere_else(trial: Callable[[], Trial], kind: str) -> None:
    """All that has not befallen yet does so at once, run after run of the case, till all has.

    What a misfortune keeps from being called has its turn in the next run, which does what is left
    to do. What is in place by then is called no more: that has its turn in a new account.
    """
    left = set(OTHERS)
    while left:
        one, befell = trial(), set()
        while struck := one.run(kind, tuple(sorted(left)), FULL):
            assert one.complaints() == []
            assert one.workload.isolated()
            befell |= struck
            left -= struck
        assert befell, f"never called: {left}"
    assert one.report is not None
    assert one.report.exit_code == 0, "once it is over, all is done"
