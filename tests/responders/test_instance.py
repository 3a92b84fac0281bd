"""`cordon instance` from end to end: what AWS says afterwards, and which calls were made."""

from __future__ import annotations

import pytest

from lab.calls import Calls
from responders.record.case import Case
from tests.responders.conftest import REGION, Cordon, Scenario

FAST = ("--region", REGION, "--dwell", "0", "--json")


def test_contains_every_interface(scenario: Scenario, cordon: Cordon, calls: Calls) -> None:
    before = scenario.groups()
    answer = cordon("instance", scenario.instance, "--case", "IR-7", *FAST)
    assert answer.document["outcome"] == "contained", answer.out + answer.err
    assert answer.code == 0
    assert scenario.groups() == {eni: [scenario.isolate] for eni in scenario.enis}
    assert scenario.tags(scenario.instance)["Environment"] == "Quarantine:IR-7"

    again = cordon("instance", scenario.instance, "--case", "IR-7", *FAST)
    assert (again.code, again.document["outcome"]) == (0, "already-contained")

    assert cordon("case", "verify", "--case", "IR-7").code == 0
    released = cordon("release", scenario.instance, "--case", "IR-7", "--json")
    assert (released.code, released.document["outcome"]) == (0, "released"), released.out
    assert scenario.groups() == before
    assert scenario.tags(scenario.instance)["Environment"] == "Production"


class TestOptions:
    """What the command takes, and what it refuses before it touches anything."""

    @pytest.mark.parametrize(
        ("words", "why"),
        [
            (("--nacl", "everybody"), "no address or network"),
            (("--nacl", "203.0.113.7/24"), "no address or network"),
            (("--nacl", "0.0.0.0/0"), "cut off the whole subnet"),
            (("--nacl", "::/0"), "cut off the whole subnet"),
            (("--stop-protected",), "belongs to a stop"),
        ],
    )
    def test_refused(
        self,
        scenario: Scenario,
        cordon: Cordon,
        calls: Calls,
        words: tuple[str, ...],
        why: str,
    ) -> None:
        answer = cordon("instance", scenario.instance, "--case", "IR-7", *FAST, *words)
        assert answer.code == 2
        assert why in answer.document["error"]
        assert len(calls) == 0

    def test_all_of_them_together(self, scenario: Scenario, cordon: Cordon) -> None:
        options = (
            "--tracking", "direct", "--nacl", "203.0.113.7", "--nacl", "2001:db8::/48",
            "--detach", "--no-replace", "--isolated-profile", "none", "--keep-imds", "--role-wide",
            "--stop", "--stop-protected", "--lock-mode", "governance", "--lock-days", "3",
        )  # fmt: skip
        answer = cordon("instance", scenario.instance, "--case", "IR-7", *FAST, *options)
        assert (answer.code, answer.document["outcome"]) == (0, "contained"), answer.out
        chosen = Case("IR-7").runs()[0].begin["options"]
        assert {
            "tracking": "direct",
            "nacl": ["203.0.113.7/32", "2001:db8::/48"],
            "detach": True,
            "replace": False,
            "isolated_profile": "none",
            "keep_imds": True,
            "role_wide": True,
            "stop": True,
            "stop_protected": True,
            "lock_days": 3,
        }.items() <= chosen.items()
        assert "disable-metadata" not in [s["name"] for s in answer.document["steps"]]

    def test_what_hits_others_is_told_on_stderr_before(
        self, scenario: Scenario, cordon: Cordon
    ) -> None:
        answer = cordon(
            "instance", scenario.instance, "--case", "IR-7", *FAST, "--nacl", "203.0.113.7"
        )
        lines = [line for line in answer.err.splitlines() if "deny-subnet" in line]
        assert "planned" in lines[0]
        assert "cuts off every subnet" in lines[0]
        assert "done" in lines[1]

    def test_a_dry_run_shows_the_plan_of_every_step(
        self, scenario: Scenario, cordon: Cordon, calls: Calls
    ) -> None:
        answer = cordon(
            "instance", scenario.instance, "--case", "IR-7", *FAST, "--dry-run",
            "--stop", "--nacl", "203.0.113.7", "--memory", "--host-firewall",
        )  # fmt: skip
        assert (answer.code, answer.document["outcome"]) == (0, "planned"), answer.out
        assert calls.mutating == []
        assert {s["status"] for s in answer.document["steps"]} <= {"planned", "skipped", "already"}
        assert answer.step("isolate-network")["status"] == "planned"
        assert answer.step("stop")["status"] == "planned"


def test_release_undoes_what_any_run_of_the_case_did(scenario: Scenario, cordon: Cordon) -> None:
    """A step that only an earlier run had is in the record, and so is undone."""
    acl = scenario.client("ec2").describe_network_acls(
        Filters=[{"Name": "vpc-id", "Values": [scenario.vpc]}]
    )["NetworkAcls"][0]
    words = ("instance", scenario.instance, "--case", "IR-7", *FAST)
    assert cordon(*words, "--nacl", "203.0.113.7").code == 0
    assert cordon(*words).code == 0
    assert cordon("release", scenario.instance, "--case", "IR-7", "--json").code == 0
    now = scenario.client("ec2").describe_network_acls(NetworkAclIds=[acl["NetworkAclId"]])
    assert now["NetworkAcls"][0]["Entries"] == acl["Entries"]
