"""The leaked key: what it says it planted is in the account and in the trail, and hunted down."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from typer.testing import CliRunner

from lab.mended import TRAIL
from lab.scenarios.leaked_key import ADDRESS, MINES, Leak, play
from tests.conftest import AwsLab


@pytest.fixture
def leak(aws_lab: AwsLab) -> Iterator[Leak]:
    return play()


def events(key: str) -> list[dict[str, Any]]:
    """All that a key did, wherever."""
    every = [r for region in ("us-east-1", *MINES) for r in TRAIL.records(region)]
    return [r for r in every if r["userIdentity"].get("accessKeyId") == key]


def test_every_planted_thing_is_in_the_trail_by_its_key(leak: Leak) -> None:
    for planted in leak.planted:
        [*found] = (
            r
            for r in events(planted.by)
            if r["eventName"] == planted.how and r["awsRegion"] == planted.region
        )
        assert found, planted
        assert {r["sourceIPAddress"] for r in found} == {ADDRESS}
        denied = planted.fate == "attempted"
        assert all(("errorCode" in r) == denied for r in found), planted
        if not denied:
            assert any(planted.id in json.dumps(r) for r in found), planted


def test_what_was_created_is_there_unless_it_is_gone(leak: Leak, aws_lab: AwsLab) -> None:
    for region in MINES:
        ec2 = aws_lab.client("ec2", region)
        miners = [p for p in leak.of("created") if p.type.endswith("Instance")]
        here = {p.id: p.exists for p in miners if p.region == region}
        shown = ec2.describe_instances(InstanceIds=list(here))["Reservations"]
        states = {i["InstanceId"]: i["State"]["Name"] for r in shown for i in r["Instances"]}
        assert {i: state == "running" for i, state in states.items()} == here
    status = aws_lab.client("cloudtrail").get_trail_status(Name="audit")
    assert status["IsLogging"] is False


def test_deactivating_the_key_does_not_end_what_it_minted(leak: Leak, aws_lab: AwsLab) -> None:
    aws_lab.client("iam").update_access_key(UserName="ci", AccessKeyId=leak.key, Status="Inactive")
    minted = [key for key, how in leak.keys.items() if how == "GetFederationToken"]
    assert len(minted) == 1
    assert events(minted[0])


def test_a_hunt_finds_all_of_it_and_nothing_else(
    leak: Leak, aws_lab: AwsLab, monkeypatch: pytest.MonkeyPatch
) -> None:
    from responders.cli import app
    from responders.hunt import lookup

    monkeypatch.setattr(lookup, "PER_SECOND", 10_000.0)
    regions = ",".join(("us-east-1", *MINES))
    answer = CliRunner().invoke(app, ["hunt", "--key", leak.key, "--regions", regions, "--json"])
    document = json.loads(answer.stdout)
    assert {(c["type"], c["id"], c["origin"]) for c in document["created"]} == {
        (p.type, p.id, f"key {p.by}") for p in leak.of("created")
    }
    gone = {c["id"] for c in document["created"] if c["exists"] is False}
    assert gone == {p.id for p in leak.of("created") if not p.exists}
    assert {f["value"] for f in document["followed_keys"]} == set(leak.keys)
    assert {s["id"] for s in document["shared"]} == {p.id for p in leak.of("shared")}
    assert {(a["name"], a["id"]) for a in document["anti_forensics"]} == {
        (p.how, p.id) for p in leak.of("blinded")
    }
    assert {a["name"] for a in document["attempted"]} == {p.how for p in leak.of("attempted")}
    told = json.dumps([document["created"], document["events"], document["followed_keys"]])
    assert [thing for thing in leak.innocent if f'"{thing}"' in told] == []


def test_it_plays_against_a_server_too(lab_server: AwsLab) -> None:
    leak = play(lab_server.endpoint)
    assert {p.fate for p in leak.planted} == {
        "created",
        "changed",
        "shared",
        "blinded",
        "attempted",
    }
    assert {r["sourceIPAddress"] for r in events(leak.key)} == {ADDRESS}
