"""The leaked key of the lab: every planted thing is found, with its origin, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest

from lab.calls import Calls
from lab.faults import Faults
from lab.scenarios.leaked_key import ADDRESS, MINES, OUTSIDE, Leak, Planted, play
from responders.hunt import lookup
from tests.conftest import AwsLab
from tests.responders.conftest import Cordon

ACCOUNT = "123456789012"
DENIED, SILENT = "eu-north-1", "eu-central-1"
SOME = ("--regions", ",".join((*MINES, DENIED, SILENT)))


@pytest.fixture
def leak(aws_lab: AwsLab, faults: Faults, monkeypatch: pytest.MonkeyPatch) -> Leak:
    """The incident, with pages of three events, so that there are many."""
    monkeypatch.setattr(lookup, "PER_SECOND", 10_000.0)
    monkeypatch.setattr(lookup, "SHORTEST_PAUSE", 0.01)
    monkeypatch.setattr(lookup, "PAGE", 3)
    made = play()
    faults.clear()
    return made


def minted(leak: Leak, how: str) -> list[str]:
    """The thief's credentials that an event of this name gave out, in the order of time."""
    return [key for key, event in leak.keys.items() if event == how]


def origins(leak: Leak, what: str) -> set[tuple[str, ...]]:
    """What was planted, as `found` tells it."""
    return {(p.type, p.id, p.region, p.how, f"key {p.by}") for p in leak.of(what)}


def found(entries: list[dict[str, Any]]) -> set[tuple[str, ...]]:
    return {(e["type"], e["id"], e["region"], e["name"], e["origin"]) for e in entries}


def check(leak: Leak, document: dict[str, Any]) -> None:
    """All that must be so, whatever some regions said."""
    assert found(document["created"]) == origins(leak, "created")
    there = {e["id"]: e["exists"] for e in document["created"]}
    assert there == {p.id: p.exists for p in leak.of("created")}
    assert found(document["shared"]) == origins(leak, "shared")
    trusted = [f"arn:aws:iam::{OUTSIDE}:root"]
    shared = {s["type"]: (s["shared_with"], s["still_shared_with"]) for s in document["shared"]}
    assert shared == {
        "AWS::EC2::Snapshot": ([OUTSIDE], [OUTSIDE]),
        "AWS::IAM::Role": (trusted, trusted),
    }
    assert found(document["anti_forensics"]) == origins(leak, "blinded")
    states = {a["name"]: a["state"] for a in document["anti_forensics"]}
    assert states["StopLogging"] == "False"
    attempted = {(a["name"], a["error"], a["count"]) for a in document["attempted"]}
    assert attempted == {(p.how, p.id, 1) for p in leak.of("attempted")}
    check_followed(leak, document)
    check_events(leak, document)
    check_open(leak, document)


def check_followed(leak: Leak, document: dict[str, Any]) -> None:
    """Each credential of the thief, and the events that led to it."""
    second, admin = minted(leak, "CreateAccessKey")
    (outside,) = minted(leak, "AssumeRole")
    (token,) = minted(leak, "GetFederationToken")
    ways = {
        f["value"]: [(step["name"], step["by"]) for step in f["through"]]
        for f in document["followed_keys"]
    }
    by_leaked = ("CreateAccessKey", f"key {leak.key}")
    by_second = ("CreateAccessKey", f"key {second}")
    role = f"role-trust arn:aws:iam::{ACCOUNT}:role/deploy"
    assert ways == {
        second: [by_leaked],
        admin: [by_leaked, by_second],
        token: [("GetFederationToken", f"key {leak.key}")],
        outside: [
            by_leaked,
            by_second,
            ("UpdateAssumeRolePolicy", f"key {admin}"),
            ("AssumeRole", role),
        ],
    }
    user = f"arn:aws:iam::{ACCOUNT}:user/backup-admin"
    assert {f"{f['kind']} {f['value']}" for f in document["followed_principals"]} == {
        f"user {user}",
        f"console {user}",
        role,
    }


def check_open(leak: Leak, document: dict[str, Any]) -> None:
    """All that the thief can still use, the worst first, each with its state and a command."""
    leads = document["open"]
    acting = [(lead["severity"], lead["kind"]) for lead in leads if lead["severity"] != "low"]
    assert acting == [
        *[("critical", "machine")] * 2,
        *[("critical", "key")] * 2,
        ("critical", "role-trust"),
        ("high", "user"),
        ("high", "password"),
        *[("high", "session")] * 2,
        ("high", "share"),
        ("medium", "logging"),
    ]
    there = {p.id for p in leak.of("created") if p.exists}
    listed = {lead["id"] for lead in leads}
    assert there <= listed
    assert not {p.id for p in leak.of("created") if not p.exists} & listed
    assert not set(leak.innocent) & listed
    machine, key = leads[0], leads[2]
    assert (machine["state"], key["state"]) == ("running", "Active")
    assert machine["command"].startswith(f"cordon instance {machine['id']} --region ")
    assert all(lead["command"] and lead["since"] and lead["by"] for lead in leads)
    assert {lead["account"] for lead in leads} == {ACCOUNT}
    (share,) = [lead for lead in leads if lead["kind"] == "share"]
    assert share["state"] == f"shared with {OUTSIDE}"


def check_events(leak: Leak, document: dict[str, Any]) -> None:
    """The thief's calls, and nobody else's."""
    events = {(e["name"], e["kind"]) for e in document["events"]}
    assert {(p.how, "changed") for p in leak.of("changed")} <= events
    assert ("TerminateInstances", "destroyed") in events
    assert {e["ip"] for e in document["events"]} == {ADDRESS}
    reads = {(r["name"], r["count"]) for r in document["reads"]}
    assert reads == {("GetCallerIdentity", 1), ("ListUsers", 1), ("DescribeInstances", 3)}
    told = json.dumps({k: v for k, v in document.items() if k != "without_trail"})
    assert [name for name in leak.innocent if f'"{name}"' in told] == []


def test_all_of_it_is_found_and_nothing_else(leak: Leak, cordon: Cordon, calls: Calls) -> None:
    answer = cordon("hunt", "--key", leak.key, "--json")
    assert answer.code == 0, answer.document["gaps"]
    assert len(answer.document["regions"]) == 17
    assert set(answer.document["regions"].values()) == {"ok"}
    check(leak, answer.document)
    assert calls.mutating == []
    assert any("NextToken" in c.params for c in calls.of("cloudtrail", "LookupEvents"))


def test_with_a_denied_region_a_silent_one_and_throttling(
    leak: Leak, cordon: Cordon, faults: Faults, calls: Calls
) -> None:
    faults.deny("cloudtrail", "LookupEvents", region=DENIED)
    faults.hang("cloudtrail", "LookupEvents", seconds=0.2, region=SILENT)
    numbers = iter(range(100_000))
    faults.throttle("cloudtrail", "LookupEvents", only=lambda _call: next(numbers) % 3 == 0)
    answer = cordon("hunt", "--key", leak.key, *SOME, "--json")
    assert answer.code == 3
    assert answer.document["complete"] is False
    regions = answer.document["regions"]
    assert "AccessDenied" in regions[DENIED]
    assert "closed" in regions[SILENT]
    assert {told for name, told in regions.items() if name not in (DENIED, SILENT)} == {"ok"}
    assert "ThrottlingException" in {c.error for c in calls.of("cloudtrail")}
    check(leak, answer.document)


def test_what_each_thing_is_contained_with(leak: Leak, cordon: Cordon) -> None:
    answer = cordon("hunt", "--key", leak.key, *SOME, "--case", "IR-7", "--json")
    assert answer.document["created"]
    for one in answer.document["created"]:
        expected = {
            "AWS::EC2::Instance": f"cordon instance {one['id']} --region {one['region']}",
            "AWS::IAM::User": f"cordon user {one['id']}",
            "AWS::IAM::LoginProfile": f"cordon user {one['id']}",
            "AWS::IAM::AccessKey": f"cordon key {one['id']}",
        }.get(one["type"], "aws ")
        assert (one["contain"] or "").startswith(expected if one["exists"] else "")
        assert (one["contain"] is None) == (not one["exists"])
    shared = {s["type"]: s["contain"] for s in answer.document["shared"]}
    assert shared["AWS::IAM::Role"] == "cordon role deploy --case IR-7"
    assert shared["AWS::EC2::Snapshot"].startswith("aws ec2 reset-snapshot-attribute")
    for followed in answer.document["followed_keys"]:
        assert followed["contain"] == f"cordon key {followed['value']} --case IR-7"


def test_what_is_new_since_the_logs_were_stopped(leak: Leak, cordon: Cordon) -> None:
    """By whoever; what the hunt explains is left out."""
    document = cordon("hunt", "--key", leak.key, *SOME, "--json").document
    new = {n["id"] for n in document["without_trail"]}
    assert {"bob", "honest-example"} <= new
    assert new & {p.id for p in leak.of("created")} == set()


def test_a_hunt_from_a_later_key_begins_there(leak: Leak, cordon: Cordon) -> None:
    _, admin = minted(leak, "CreateAccessKey")
    (outside,) = minted(leak, "AssumeRole")
    document = cordon("hunt", "--key", admin, *SOME, "--json").document
    later = {f"key {admin}", f"key {outside}"}
    planted: list[Planted] = [p for p in leak.of("created") if f"key {p.by}" in later]
    assert {c["id"] for c in document["created"]} == {p.id for p in planted}
    assert {f["value"] for f in document["followed_keys"]} == {outside}
