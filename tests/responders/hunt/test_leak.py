"""The leaked key: every planted thing is found, with its origin, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from lab.calls import Calls
from lab.faults import Faults
from responders.hunt import lookup
from tests.conftest import AwsLab
from tests.responders.conftest import Cordon
from tests.responders.hunt import leak as story
from tests.responders.hunt.leak import ACCOUNT, FAR, FARTHER, OUTSIDE, Leak, planted

DENIED, SILENT = "eu-north-1", "eu-central-1"
SOME = ("--regions", ",".join((FAR, FARTHER, DENIED, SILENT)))


@pytest.fixture
def leak(aws_lab: AwsLab, faults: Faults, monkeypatch: pytest.MonkeyPatch) -> Leak:
    monkeypatch.setattr(lookup, "PER_SECOND", 10_000.0)
    monkeypatch.setattr(lookup, "SHORTEST_PAUSE", 0.01)
    monkeypatch.setattr(lookup, "PAGE", 3)
    return story.stage(aws_lab, faults)


def through(entry: dict[str, Any]) -> list[str]:
    return [step["name"] for step in entry["through"]]


def check(leak: Leak, document: dict[str, Any]) -> None:
    """All that must be so, whatever the regions said."""
    created = {(c["type"], c["id"]): c["origin"] for c in document["created"]}
    assert created == planted(leak)
    gone = leak.ids[f"miners {FAR}"][0]
    assert {c["id"] for c in document["created"] if c["exists"] is False} == {gone}
    assert {c["id"] for c in document["created"] if c["exists"] is None} == set()

    followed = {f["value"]: through(f) for f in document["followed_keys"]}
    second = ["CreateAccessKey"]
    assert followed == {
        leak.id("second"): second,
        leak.id("admin"): [*second, "CreateAccessKey"],
        leak.id("federated"): ["GetFederationToken"],
        leak.id("from outside"): [
            *second,
            "CreateAccessKey",
            "UpdateAssumeRolePolicy",
            "AssumeRole",
        ],
    }
    assert {(f["kind"], f["value"]) for f in document["followed_principals"]} == {
        ("user", f"arn:aws:iam::{ACCOUNT}:user/backup-admin"),
        ("console", f"arn:aws:iam::{ACCOUNT}:user/backup-admin"),
        ("role-trust", f"arn:aws:iam::{ACCOUNT}:role/deploy"),
    }

    shared = {s["id"]: (s["shared_with"], s["still_shared_with"]) for s in document["shared"]}
    outsider = [f"arn:aws:iam::{OUTSIDE}:root"]
    assert shared == {
        leak.ids["snapshot"]: ([OUTSIDE], [OUTSIDE]),
        "deploy": (outsider, outsider),
    }
    blinded = {(a["name"], a["id"], a["origin"]) for a in document["anti_forensics"]}
    federated = f"key {leak.id('federated')}"
    assert blinded == {
        ("StopLogging", "main", federated),
        ("DeleteFlowLogs", leak.ids["flow log"], federated),
    }
    assert {a["state"] for a in document["anti_forensics"] if a["name"] == "StopLogging"} == {
        "False"
    }
    attempted = {(a["name"], a["error"]): a["count"] for a in document["attempted"]}
    assert attempted == {
        ("ListSecrets", "AccessDeniedException"): 3,
        ("AttachUserPolicy", "AccessDenied"): 1,
    }
    events = {(e["name"], e["kind"]) for e in document["events"]}
    assert ("TerminateInstances", "destroyed") in events
    assert ("PutUserPolicy", "changed") in events
    assert {r["name"] for r in document["reads"]} == {
        "GetCallerIdentity",
        "ListUsers",
        "DescribeInstances",
    }
    strangers = {leak.id("alice"), leak.id("alice's session")}
    assert {e["key"] for e in document["events"]} & strangers == set()


def test_all_of_it_is_found_and_nothing_else(leak: Leak, cordon: Cordon, calls: Calls) -> None:
    answer = cordon("hunt", "--key", leak.id("ci"), "--json")
    assert answer.code == 0, answer.document["gaps"]
    assert set(answer.document["regions"].values()) == {"ok"}
    check(leak, answer.document)
    assert calls.mutating == []
    assert any("NextToken" in c.params for c in calls.of("cloudtrail", "LookupEvents"))


def test_with_a_denied_region_a_silent_one_and_throttling(
    leak: Leak, cordon: Cordon, faults: Faults, calls: Calls
) -> None:
    faults.deny("cloudtrail", "LookupEvents", region=DENIED)
    faults.unreachable("cloudtrail", "LookupEvents", region=SILENT)
    numbers = iter(range(100_000))
    faults.throttle("cloudtrail", "LookupEvents", only=lambda _call: next(numbers) % 3 == 0)
    answer = cordon("hunt", "--key", leak.id("ci"), *SOME, "--json")
    assert answer.code == 3
    assert answer.document["complete"] is False
    regions = answer.document["regions"]
    assert "AccessDenied" in regions[DENIED]
    assert "closed" in regions[SILENT]
    assert {told for name, told in regions.items() if name not in (DENIED, SILENT)} == {"ok"}
    assert {"ThrottlingException"} <= {c.error for c in calls.of("cloudtrail")}
    check(leak, answer.document)


def test_what_each_thing_is_contained_with(leak: Leak, cordon: Cordon) -> None:
    answer = cordon("hunt", "--key", leak.id("ci"), *SOME, "--case", "IR-7", "--json")
    contain = {c["id"]: c["contain"] for c in answer.document["created"]}
    miner = leak.ids[f"miners {FARTHER}"][0]
    assert contain[miner] == f"cordon instance {miner} --region {FARTHER} --case IR-7"
    assert contain["backup-admin"] == "cordon user backup-admin --case IR-7"
    assert contain[leak.id("admin")] == f"cordon key {leak.id('admin')} --case IR-7"
    assert contain[leak.ids[f"miners {FAR}"][0]] is None  # it is gone
    shared = {s["id"]: s["contain"] for s in answer.document["shared"]}
    assert shared["deploy"] == "cordon role deploy --case IR-7"
    assert shared[leak.ids["snapshot"]].startswith("aws ec2 reset-snapshot-attribute")
    keys = {f["value"]: f["contain"] for f in answer.document["followed_keys"]}
    assert keys[leak.id("federated")] == f"cordon key {leak.id('federated')} --case IR-7"


def test_what_was_made_behind_a_stopped_trail_is_listed(
    leak: Leak, cordon: Cordon, aws_lab: AwsLab
) -> None:
    """What is new since the logs were stopped, by whoever; what the hunt explains is left out."""
    document = cordon("hunt", "--key", leak.id("ci"), *SOME, "--json").document
    explained = {c["id"] for c in document["created"]}
    new = {n["id"] for n in document["without_trail"]}
    assert "bob" in new
    assert not new & explained


def test_a_hunt_from_the_second_key_begins_there(leak: Leak, cordon: Cordon) -> None:
    document = cordon("hunt", "--key", leak.id("admin"), *SOME, "--json").document
    own = f"key {leak.id('admin')}"
    assert {c["origin"] for c in document["created"]} == {own, f"key {leak.id('from outside')}"}
    assert {f["value"] for f in document["followed_keys"]} == {leak.id("from outside")}
