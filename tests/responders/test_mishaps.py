"""What goes wrong around a response: it is stopped, the target dies, the disk is full, the groups
are not what they should be, somebody else responds too."""

from __future__ import annotations

import errno
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contract import TAG_CASE, TAG_PURPOSE, TAG_STATUS, Rule, rule_permission
from lab.calls import Calls
from lab.faults import Faults
from lab.gate.call import Call
from responders import aws
from responders.record import journal
from responders.record.case import Case
from tests.responders.conftest import REGION, Answer, Cordon, Scenario
from tests.responders.workload import hurry

MODIFY = ("ec2", "ModifyNetworkInterfaceAttribute")
CONVERT = ("--tracking", "convert")
FAST = ("--region", REGION, *CONVERT, "--dwell", "0", "--json", "--no-snapshot")


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    hurry(monkeypatch)


def contain(cordon: Cordon, scenario: Scenario, *more: str, case: str = "IR-7") -> Answer:
    return cordon("instance", scenario.instance, "--case", case, *FAST, *more)


def isolated(scenario: Scenario) -> bool:
    return scenario.groups() == {eni: [scenario.isolate] for eni in scenario.enis}


def untracking(scenario: Scenario) -> Callable[[Call], bool]:
    return lambda call: call.params.get("Groups") == [scenario.untrack]


class TestInterrupted:
    """Ctrl-C in the dwell: the network is open for everything at this moment."""

    @pytest.mark.parametrize("times", [1, 3])
    def test_the_network_is_closed_at_once(
        self, scenario: Scenario, cordon: Cordon, faults: Faults, times: int
    ) -> None:
        before = scenario.groups()

        def interrupt(_call: Call) -> None:
            for _ in range(times):
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(0.2)

        faults.after(*MODIFY, interrupt, only=untracking(scenario), times=1)
        began = time.monotonic()
        answer = contain(cordon, scenario, "--dwell", "100")
        assert time.monotonic() - began < 60
        assert answer.code == 130
        assert isolated(scenario)
        faults.clear()

        resumed = cordon("resume", "--case", "IR-7", "--json")
        assert resumed.code == 0, resumed.out
        assert cordon("resume", "--case", "IR-7", "--json").document["outcome"] == (
            "nothing-to-resume"
        )
        released = cordon("release", scenario.instance, "--case", "IR-7", "--json")
        assert released.code == 0, released.out
        assert scenario.groups() == before

    def test_a_terminal_that_goes_away_is_an_interrupt(
        self, scenario: Scenario, cordon: Cordon, faults: Faults
    ) -> None:
        def hang_up(_call: Call) -> None:
            os.kill(os.getpid(), signal.SIGHUP)

        faults.after(*MODIFY, hang_up, only=untracking(scenario), times=1)
        answer = contain(cordon, scenario, "--dwell", "100")
        assert answer.code == 130
        assert isolated(scenario)

    def test_before_anything_was_touched(
        self, scenario: Scenario, cordon: Cordon, calls: Calls, faults: Faults
    ) -> None:
        def interrupt(_call: Call) -> None:
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(1)

        faults.before("ec2", "DescribeInstances", interrupt, times=1)
        assert contain(cordon, scenario).code == 130
        assert [c for c in calls.mutating if c.service != "s3"] == []


class TestTerminated:
    """Somebody, or something, terminates the instance while it is responded to."""

    def test_it_is_not_called_contained(
        self, scenario: Scenario, cordon: Cordon, faults: Faults
    ) -> None:
        def terminate(_call: Call) -> None:
            scenario.client("ec2").terminate_instances(InstanceIds=[scenario.instance])

        faults.deny("ec2", "ModifyInstanceAttribute")  # or its protection comes first
        faults.after(*MODIFY, terminate, only=untracking(scenario), times=1)
        answer = contain(cordon, scenario)
        assert answer.code == 1
        assert answer.document["outcome"] == "not-contained"
        assert "terminated" in answer.step("isolate-network")["reason"]

    def test_one_that_is_gone_is_bad_input(self, scenario: Scenario, cordon: Cordon) -> None:
        scenario.client("ec2").terminate_instances(InstanceIds=[scenario.instance])
        assert contain(cordon, scenario).code == 2


class TestNoIdentity:
    """STS does not say who calls: no reason to leave an instance as it is."""

    @pytest.mark.parametrize("searched", [False, True], ids=["region known", "searched"])
    def test_it_is_contained_and_told(
        self, scenario: Scenario, cordon: Cordon, faults: Faults, searched: bool
    ) -> None:
        faults.deny("sts", "GetCallerIdentity")
        where = () if searched else ("--region", REGION)
        answer = cordon(
            "instance", scenario.instance, "--case", "IR-7", "--no-snapshot", *where,
            "--dwell", "0", "--json",
        )  # fmt: skip
        assert answer.document["outcome"] == "contained", answer.out
        assert isolated(scenario)
        assert answer.document["account"] == "123456789012"
        assert "STS does not say" in str(answer.document["residual_risks"])

    def test_nor_when_it_hangs(
        self,
        scenario: Scenario,
        cordon: Cordon,
        faults: Faults,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(aws, "CALLER_WAIT", 0.2)
        faults.hang("sts", "GetCallerIdentity", seconds=20)
        assert contain(cordon, scenario).document["outcome"] == "contained"
        faults.clear()


class TestAttachedLater:
    """An interface that comes after the first look is found by the last one."""

    def test_it_is_isolated_too(self, scenario: Scenario, cordon: Cordon, faults: Faults) -> None:
        made: list[str] = []

        def attach(_call: Call) -> None:
            ec2 = scenario.client("ec2")
            subnet = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [scenario.vpc]}])
            eni = ec2.create_network_interface(
                SubnetId=subnet["Subnets"][0]["SubnetId"], Groups=[scenario.app_group]
            )["NetworkInterface"]["NetworkInterfaceId"]
            ec2.attach_network_interface(
                InstanceId=scenario.instance, NetworkInterfaceId=eni, DeviceIndex=7
            )
            made.append(eni)

        faults.after("ec2", "ModifyInstanceMetadataOptions", attach, times=1)
        before = scenario.groups()
        answer = contain(cordon, scenario)
        assert answer.code == 0, answer.out
        assert scenario.groups() == {eni: [scenario.isolate] for eni in (*scenario.enis, *made)}
        assert "tried again" in str(answer.step("isolate-network")["notes"])
        assert cordon("release", scenario.instance, "--case", "IR-7", "--json").code == 0
        assert scenario.groups() == {**before, made[0]: [scenario.app_group]}


class TestTwoResponders:
    """Two people, two cases, one instance."""

    @pytest.fixture
    def second(
        self, scenario: Scenario, cordon: Cordon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> Callable[..., Answer]:
        """Another machine: it has no record of the first one's case."""

        def run(*words: str) -> Answer:
            with monkeypatch.context() as patch:
                patch.setenv("CORDON_HOME", str(tmp_path / "second"))
                return cordon(*words)

        return run

    def status(self, scenario: Scenario) -> tuple[str | None, str | None]:
        tags = scenario.tags(scenario.instance)
        return tags.get(TAG_CASE), tags.get(TAG_STATUS)

    def test_the_network_opens_when_both_have_released(
        self, scenario: Scenario, cordon: Cordon, second: Callable[..., Answer]
    ) -> None:
        before = scenario.groups()
        assert contain(cordon, scenario).code == 0
        theirs = second("instance", scenario.instance, "--case", "IR-8", *FAST)
        assert (theirs.code, theirs.document["outcome"]) == (0, "already-contained")
        assert self.status(scenario) == ("IR-8", "quarantined")

        refused = cordon("release", scenario.instance, "--case", "IR-7", "--json")
        assert refused.code == 2
        assert "IR-8" in refused.document["error"]
        assert isolated(scenario)

        released = second("release", scenario.instance, "--case", "IR-8", "--json")
        assert released.code == 0, released.out
        assert isolated(scenario)
        assert self.status(scenario) == ("IR-7", "quarantined")

        released = cordon("release", scenario.instance, "--case", "IR-7", "--json")
        assert released.code == 0, released.out
        assert scenario.groups() == before
        assert scenario.tags(scenario.instance)["Environment"] == "Production"

    def test_at_the_same_time_in_one_case(self, scenario: Scenario, cordon: Cordon) -> None:
        with Case("IR-7").locked(scenario.instance):
            answer = contain(cordon, scenario)
        assert answer.code == 2
        assert f"another cordon works on {scenario.instance}" in answer.document["error"]


class TestFullDisk:
    """Nothing is changed without a record; what was changed is told."""

    def fill(self, monkeypatch: pytest.MonkeyPatch, when: Callable[[bytes], bool]) -> None:
        write, full = journal.write_durably, [False]

        def writing(path: Path, data: bytes) -> None:
            full[0] = full[0] or when(data)
            if full[0]:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            write(path, data)

        monkeypatch.setattr(journal, "write_durably", writing)

    def test_from_the_start(
        self,
        scenario: Scenario,
        cordon: Cordon,
        calls: Calls,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        self.fill(monkeypatch, lambda data: True)
        answer = contain(cordon, scenario)
        assert answer.code == 1
        assert "No space left" in answer.document["error"]
        assert calls.mutating == []

    def test_before_isolation(
        self,
        scenario: Scenario,
        cordon: Cordon,
        calls: Calls,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        self.fill(monkeypatch, lambda data: b'"kind":"begin"' not in data)
        answer = contain(cordon, scenario)
        assert (answer.code, answer.document["outcome"]) == (1, "not-contained")
        assert "No space left" in answer.step("isolate-network")["reason"]
        assert [c for c in calls.mutating if c.service != "s3"] == []

    def test_after_isolation(
        self, scenario: Scenario, cordon: Cordon, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It is contained, and says so; the record is short, so it is not exit 0."""
        marks = (b'"kind":"result"', b'"step":"isolate-network"')
        self.fill(monkeypatch, lambda data: all(mark in data for mark in marks))
        answer = contain(cordon, scenario)
        assert (answer.code, answer.document["outcome"]) == (3, "contained")
        assert isolated(scenario)
        assert "No space left" in str(answer.document["residual_risks"])
        assert "No space left" in str(answer.document["evidence"]["reason"])


TAMPERED = {
    "IPv6": Rule("-1", 0, 0, "::/0"),
    "prefix list": Rule("tcp", 443, 443, "pl-0123456789abcdef0"),
    "group": Rule("-1", 0, 0, "the app group"),
}


class TestGroups:
    """The prepared groups are not what they should be."""

    @pytest.mark.parametrize("rule", TAMPERED.values(), ids=TAMPERED)
    def test_tampered_with(self, scenario: Scenario, cordon: Cordon, rule: Rule) -> None:
        """Repaired before it is used, and loudly: the pin says that it was otherwise."""
        ec2 = scenario.client("ec2")
        ec2.associate_vpc_cidr_block(VpcId=scenario.vpc, AmazonProvidedIpv6CidrBlock=True)
        if rule.peer == "the app group":
            rule = Rule("-1", 0, 0, scenario.app_group)
        ec2.authorize_security_group_egress(
            GroupId=scenario.isolate, IpPermissions=[rule_permission(rule)]
        )
        answer = contain(cordon, scenario)
        assert (answer.code, answer.document["outcome"]) == (3, "contained"), answer.out
        assert isolated(scenario)
        assert scenario.isolate in answer.step("verify-preparation")["reason"]
        assert self.rules(scenario, scenario.isolate) == ([], [])
        assert f"readiness: {scenario.isolate}" in str(answer.document["residual_risks"])

    def test_tampered_with_again_after_isolation(
        self, scenario: Scenario, cordon: Cordon, faults: Faults
    ) -> None:
        """The last look reads the rules as well: a group that lets out isolates nobody."""

        def open_(_call: Call) -> None:
            scenario.client("ec2").authorize_security_group_egress(
                GroupId=scenario.isolate,
                IpPermissions=[rule_permission(Rule("-1", 0, 0, "0.0.0.0/0"))],
            )

        faults.after("ec2", "ModifyInstanceMetadataOptions", open_, times=1)
        answer = contain(cordon, scenario)
        assert (answer.code, answer.document["outcome"]) == (1, "not-contained")
        assert "no isolate group to trust" in answer.step("isolate-network")["reason"]

    def test_a_fake(self, scenario: Scenario, cordon: Cordon) -> None:
        """Tagged as the kit's by somebody else, and open to them."""
        ec2 = scenario.client("ec2")
        fake = ec2.create_security_group(GroupName="x", Description="x", VpcId=scenario.vpc)
        ec2.create_tags(
            Resources=[fake["GroupId"]], Tags=[{"Key": TAG_PURPOSE, "Value": "isolate"}]
        )
        ec2.authorize_security_group_ingress(
            GroupId=fake["GroupId"],
            IpPermissions=[rule_permission(Rule("tcp", 22, 22, "203.0.113.7/32"))],
        )
        answer = contain(cordon, scenario)
        assert (answer.code, answer.document["outcome"]) == (3, "contained"), answer.out
        assert isolated(scenario)
        assert fake["GroupId"] not in {g for groups in scenario.groups().values() for g in groups}
        assert fake["GroupId"] in answer.step("verify-preparation")["reason"]

    def test_none(self, scenario: Scenario, cordon: Cordon) -> None:
        """Made on demand, said loudly, and found again by the next run."""
        ec2 = scenario.client("ec2")
        for group in (scenario.isolate, scenario.untrack):
            ec2.delete_security_group(GroupId=group)
        answer = contain(cordon, scenario)
        assert (answer.code, answer.document["outcome"]) == (3, "contained"), answer.out
        [groups] = {tuple(g) for g in scenario.groups().values()}
        assert self.rules(scenario, groups[0]) == ([], [])
        assert f"{scenario.vpc} has no isolate group" in str(answer.document["residual_risks"])
        again = contain(cordon, scenario)
        assert (again.code, again.document["outcome"]) == (3, "already-contained")

    def rules(self, scenario: Scenario, group: str) -> tuple[list[Any], list[Any]]:
        found = scenario.client("ec2").describe_security_groups(GroupIds=[group])
        described = found["SecurityGroups"][0]
        return described["IpPermissions"], described["IpPermissionsEgress"]
