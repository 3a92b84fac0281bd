"""`cordon hunt` from the command line: what it refuses, prints, keeps, and what it exits with."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from lab.calls import Calls
from lab.faults import Faults
from lab.mended import TRAIL
from lab.trail.digests import delivery
from responders.hunt import existence, lookup
from responders.record.case import Case
from tests.conftest import AwsLab
from tests.responders.conftest import VAULT, Cordon, prepare_vault
from tests.responders.hunt.records import by_session, by_user, record
from tests.responders.hunt.thief import ACCOUNT, FAR, Thief


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "not clear"),
        (("--key", "AKIAIOSFODNN7EXAMPLE", "--principal", "arn:x"), "not clear"),
        (("--key", "AKIA"), "not an access key id"),
        (("--key", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"), "secret"),
        (("--principal", "alice"), "not the ARN of a principal"),
        (("--principal", "arn:aws:s3:::bucket"), "not the ARN of a principal"),
        (("--principal", f"arn:aws:iam::{ACCOUNT}:group/admins"), "that makes calls"),
        (("--principal", ACCOUNT), "is the account of these credentials"),
        (("--ip", "203.0.113.300"), "not an IP address"),
        (("--ip", "203.0.113.1", "--user-agent", "python"), "not clear"),
        (("--user-agent", "aws"), "in too many user agents"),
        (("--mfa-device", "x; reboot"), "not the serial number"),
        (("--since", "3 fortnights"), "24h"),
        (("--principal", f"arn:aws:iam::{ACCOUNT}:user/nobody"), "CloudTrail knows of none"),
        (("--principal", f"arn:aws:iam::{ACCOUNT}:user/path/alice"), "Did you mean"),
        (("--since", "03/04/2026"), "Which number is the month"),
        (("--since", "2026-02-30"), "there is no date"),
        (("--since", "2999-01-01"), "has not come yet"),
        (("--since", "last week"), "YYYY-MM-DD"),
        (("--since", "2026-01-01", "--regions", "eu-west-9"), "eu-west-9"),
        (("--since", "2026-01-01", "--case", "../x"), "not a case id"),
        (("--since", "2026-01-01", "--trail", "bucket"), "address of a trail"),
        (("--since", "2026-01-01", "--lake", "store"), "event data store"),
        (("--since", "2026-01-01", "--csv", "/nowhere/x.csv"), "in no folder"),
        (("--since", "2026-01-01", "--csv", "-", "--json"), "stdout"),
        (("--since", "2026-01-01", "--jsonl", "-", "--ocsf", "-"), "--jsonl - and --ocsf -"),
        (("--since", "2026-01-01", "--ocsf", "/nowhere/x.jsonl"), "in no folder"),
    ],
)
def test_what_can_t_be_meant_is_refused(
    thief: Thief, cordon: Cordon, calls: Calls, words: tuple[str, ...], told: str
) -> None:
    answer = cordon("hunt", *words)
    assert answer.code == 2
    assert told in answer.err.replace("\n", " ")
    assert "bPxRfiCY" not in answer.err
    assert calls.mutating == []


def test_refused_hunts_leave_no_case(thief: Thief, cordon: Cordon) -> None:
    arn = f"arn:aws:iam::{ACCOUNT}:user/nobody"
    assert cordon("hunt", "--principal", arn, "--case", "IR-7").code == 2
    assert Case("IR-7").runs_on_disk() == []


def test_another_account_s_key_is_refused(
    thief: Thief, cordon: Cordon, faults: Faults, aws_lab: AwsLab
) -> None:
    from moto.iam.models import iam_backends

    backend = iam_backends["444455556666"]["aws"]
    backend.create_user("us-east-1", "bob")
    key = backend.create_access_key("bob").access_key_id
    answer = cordon("hunt", "--key", key)
    assert answer.code == 2
    assert "belongs to account 444455556666" in answer.err


def test_the_document(thief: Thief, cordon: Cordon, calls: Calls) -> None:
    instance = thief.client("ec2", FAR).run_instances(
        ImageId="ami-12345678", MinCount=1, MaxCount=1
    )["Instances"][0]["InstanceId"]
    thief.client("iam").list_users()
    with pytest.raises(Exception, match="NoSuchEntity"):
        thief.client("iam").delete_user(UserName="nobody")
    calls.clear()
    answer = cordon("hunt", "--key", thief.key, "--json")
    document = answer.document
    assert answer.code == 0, answer.err
    assert document["outcome"] == "found"
    assert document["command"] == "hunt"
    assert document["complete"] is True
    assert set(document["regions"].values()) == {"ok"}
    assert len(document["regions"]) == 17
    assert {e["name"] for e in document["events"]} == {"RunInstances", "DeleteUser"}
    (made,) = document["created"]
    assert (made["type"], made["id"], made["region"]) == ("AWS::EC2::Instance", instance, FAR)
    assert (made["exists"], made["state"]) == (True, "running")
    assert made["contain"] == f"cordon instance {instance} --region {FAR} --case ID"
    assert made["origin"] == f"key {thief.key}"
    (attempt,) = document["attempted"]
    assert (attempt["name"], attempt["count"]) == ("DeleteUser", 1)
    assert [read["name"] for read in document["reads"]] == ["ListUsers"]
    assert document["followed_keys"] == []
    assert calls.mutating == []


def test_nothing_found_is_an_answer(thief: Thief, cordon: Cordon) -> None:
    answer = cordon("hunt", "--key", thief.key)
    assert answer.code == 0
    assert "NOTHING FOUND" in answer.out
    assert "us-west-2: 0 events" in answer.err


def test_a_region_that_fails_is_named(thief: Thief, cordon: Cordon, faults: Faults) -> None:
    thief.client("s3").create_bucket(Bucket="evil-bucket")
    faults.deny("cloudtrail", "LookupEvents", region="eu-west-1")
    faults.hang("cloudtrail", "LookupEvents", seconds=0.1, region="eu-west-2")
    answer = cordon("hunt", "--key", thief.key, "--json")
    assert answer.code == 3
    regions = answer.document["regions"]
    assert "AccessDenied" in regions["eu-west-1"]
    assert "closed" in regions["eu-west-2"]
    assert {told for name, told in regions.items() if name not in ("eu-west-1", "eu-west-2")} == {
        "ok"
    }
    assert [c["id"] for c in answer.document["created"]] == ["evil-bucket"]
    assert answer.document["complete"] is False
    people = cordon("hunt", "--key", thief.key)
    assert people.code == 3
    assert "INCOMPLETE" in people.out
    assert "eu-west-1: LookupEvents: AccessDenied" in people.out


def test_where_events_are_missing_what_is_new_is_listed(
    thief: Thief, cordon: Cordon, faults: Faults
) -> None:
    thief.client("s3").create_bucket(Bucket="evil-bucket")
    ec2 = thief.client("ec2", FAR)
    pair = ec2.create_key_pair(KeyName="evil")["KeyPairId"]
    faults.deny("cloudtrail", "LookupEvents", region=FAR)
    document = cordon("hunt", "--key", thief.key, "--json").document
    assert [c["id"] for c in document["created"]] == ["evil-bucket"]
    assert {(n["id"], n["region"]) for n in document["without_trail"]} == {(pair, FAR)}


def test_what_can_t_be_looked_at_makes_it_incomplete(
    thief: Thief, cordon: Cordon, faults: Faults
) -> None:
    thief.client("s3").create_bucket(Bucket="evil-bucket")
    faults.deny("s3", "HeadBucket")
    answer = cordon("hunt", "--key", thief.key, "--json")
    assert answer.code == 3
    (made,) = answer.document["created"]
    assert made["exists"] is None
    assert "evil-bucket is still there could not be told" in answer.document["gaps"][0]


def test_regions_and_the_one_of_the_global_services(
    thief: Thief, cordon: Cordon, calls: Calls
) -> None:
    thief.client("iam").create_user(UserName="eve")
    calls.clear()
    document = cordon("hunt", "--key", thief.key, "--regions", "eu-west-1", "--json").document
    assert set(document["regions"]) == {"eu-west-1", "us-east-1"}
    assert [c["id"] for c in document["created"]] == ["eve"]
    assert {c.region for c in calls.of("cloudtrail")} == {"eu-west-1", "us-east-1"}


def test_a_principal_that_is_gone_can_be_hunted(
    thief: Thief, cordon: Cordon, aws_lab: AwsLab
) -> None:
    thief.client("s3").create_bucket(Bucket="evil-bucket")
    aws_lab.client("iam").delete_access_key(UserName="alice", AccessKeyId=thief.key)
    aws_lab.client("iam").delete_user(UserName="alice")
    answer = cordon("hunt", "--principal", f"arn:aws:iam::{ACCOUNT}:user/alice", "--json")
    assert answer.code == 0
    assert [c["id"] for c in answer.document["created"]] == ["evil-bucket"]
    assert any("not there any more" in note for note in answer.document["notes"])


def test_a_role_by_its_sessions(thief: Thief, cordon: Cordon, aws_lab: AwsLab) -> None:
    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "sts:AssumeRole"}
        ],
    }
    role = aws_lab.client("iam").create_role(
        RoleName="app", Path="/path/", AssumeRolePolicyDocument=json.dumps(trust)
    )["Role"]["Arn"]
    made = thief.client("sts").assume_role(RoleArn=role, RoleSessionName="example")["Credentials"]
    boto3.client(
        "ec2",
        region_name=FAR,
        aws_access_key_id=made["AccessKeyId"],
        aws_secret_access_key=made["SecretAccessKey"],
        aws_session_token=made["SessionToken"],
    ).create_key_pair(KeyName="evil")
    document = cordon("hunt", "--principal", role, "--regions", FAR, "--json").document
    assert [c["type"] for c in document["created"]] == ["AWS::EC2::KeyPair"]
    (session,) = document["followed_principals"]
    assert session["value"] == f"arn:aws:sts::{ACCOUNT}:assumed-role/app/example"
    assert session["contain"] == "cordon role app --session example --case ID"
    assert [step["name"] for step in session["through"]] == ["AssumeRole"]


def test_since(thief: Thief, cordon: Cordon, aws_lab: AwsLab) -> None:
    group = aws_lab.client("ec2", FAR).create_security_group(GroupName="g", Description="g")
    thief.client("ec2", FAR).create_key_pair(KeyName="evil")
    regions = ("--regions", FAR)
    document = cordon("hunt", "--since", "2026-01-01", *regions, "--json").document
    made = {c["type"]: c["actor"] for c in document["created"]}
    assert made["AWS::EC2::KeyPair"] == f"arn:aws:iam::{ACCOUNT}:user/alice"
    assert made["AWS::EC2::SecurityGroup"].startswith("arn:aws:")
    assert group["GroupId"] in {c["id"] for c in document["created"]}
    assert document["followed_keys"] == []
    assert document["without_trail"] == []


def test_since_longer_ago_than_the_history(thief: Thief, cordon: Cordon, aws_lab: AwsLab) -> None:
    regions = ("--regions", "us-east-1")
    answer = cordon("hunt", "--since", "2020-01-01", *regions, "--json")
    assert answer.code == 3
    assert any("90 days" in gap for gap in answer.document["gaps"])


def close(faults: Faults, region: str, service: str, operation: str) -> None:
    """Denies as a service control policy does, in AWS's words."""
    code = "UnauthorizedOperation" if service == "ec2" else "AccessDeniedException"
    told = (
        f"User: arn:aws:iam::{ACCOUNT}:user/x is not authorized to perform: {service}:{operation} "
        "with an explicit deny in a service control policy"
    )
    faults.fail(service, operation, code, told, 403, region=region)


def test_a_region_that_a_policy_closes_is_no_gap_once_that_is_proven(
    thief: Thief, cordon: Cordon, faults: Faults, calls: Calls
) -> None:
    thief.client("s3").create_bucket(Bucket="evil-bucket")
    close(faults, "eu-west-1", "cloudtrail", "LookupEvents")
    close(faults, "eu-west-1", "ec2", "RunInstances")
    calls.clear()
    answer = cordon("hunt", "--key", thief.key, "--json")
    assert answer.code == 0, answer.document["gaps"]
    assert answer.document["regions"]["eu-west-1"] == "closed by a service control policy"
    assert any("eu-west-1" in note and "exempts" in note for note in answer.document["notes"])
    (proof,) = calls.of("ec2", "RunInstances")
    assert (proof.region, proof.params["DryRun"]) == ("eu-west-1", True)
    assert calls.mutating == [proof]


def test_a_policy_that_hides_the_trail_but_lets_machines_start_is_a_gap(
    thief: Thief, cordon: Cordon, faults: Faults
) -> None:
    close(faults, "eu-west-1", "cloudtrail", "LookupEvents")
    faults.deny("ec2", "RunInstances", region="eu-west-2")
    close(faults, "eu-west-2", "cloudtrail", "LookupEvents")
    answer = cordon("hunt", "--key", thief.key, "--json")
    assert answer.code == 3
    shown = answer.document["regions"]
    for region in ("eu-west-1", "eu-west-2"):
        assert "explicit deny in a service control policy" in shown[region]
        assert any(gap.startswith(f"{region}: ") for gap in answer.document["gaps"])


def test_an_address_a_tool_and_a_device_are_questions(
    thief: Thief, cordon: Cordon, aws_lab: AwsLab
) -> None:
    at = {"eventTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
    who = by_user(key=thief.key)
    serial = f"arn:aws:iam::{ACCOUNT}:mfa/alice"
    made = record("iam:CreateUser", who, sourceIPAddress="203.0.113.66", userAgent="Evil/1.0", **at)
    seen = record("iam:ListUsers", who, sourceIPAddress="203.0.113.67", userAgent="evil/2", **at)
    other = record("iam:DeleteUser", who, sourceIPAddress="rds.amazonaws.com", **at)
    device = record("iam:EnableMFADevice", who, request={"serialNumber": serial}, **at)
    TRAIL.plant(made, seen, other, device)

    def found(*words: str) -> set[str]:
        more = ("--since", "24h", "--regions", "us-east-1", "--json")
        answer = cordon("hunt", *words, *more)
        assert answer.code == 0, answer.document["gaps"]
        document = answer.document
        return {one["name"] for one in (*document["events"], *document["reads"])}

    assert found("--ip", "203.0.113.66") == {"CreateUser"}
    assert found("--ip", "203.0.113.0/24") == {"CreateUser", "ListUsers"}
    assert found("--user-agent", "evil/") == {"CreateUser", "ListUsers"}
    assert found("--mfa-device", serial) == {"EnableMFADevice"}


def test_another_account_s_principal_is_a_question(thief: Thief, cordon: Cordon) -> None:
    at = {"eventTime": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")}
    stranger = {"type": "AWSAccount", "principalId": "AIDAX", "accountId": "444455556666"}
    role = f"arn:aws:iam::{ACCOUNT}:role/app"
    assumed = record(
        "sts:AssumeRole",
        stranger,
        request={"roleArn": role, "roleSessionName": "mallory"},
        response={"credentials": {"accessKeyId": "ASIASTRANGER"}},
        **at,
    )
    done = record("s3:CreateBucket", by_session("app", "mallory", "ASIASTRANGER"), **at)
    known = {**stranger, "arn": "arn:aws:iam::444455556666:user/bob"}
    named = record("s3:DeleteBucket", known, **at)
    TRAIL.plant(assumed, done, named)
    regions = ("--regions", "us-east-1", "--json")
    account = cordon("hunt", "--principal", "444455556666", *regions).document
    assert {e["name"] for e in account["events"]} == {"AssumeRole", "CreateBucket", "DeleteBucket"}
    alice = "arn:aws:iam::444455556666:user/alice"
    document = cordon("hunt", "--principal", alice, *regions).document
    assert {e["name"] for e in document["events"]} == {"AssumeRole", "CreateBucket"}
    assert any("of account 444455556666" in note for note in document["notes"])


def test_a_trail_and_lake_are_read_too(thief: Thief, cordon: Cordon, aws_lab: AwsLab) -> None:
    old = record(
        "s3:DeleteObject",
        by_user(key=thief.key),
        region=FAR,
        request={"bucketName": "b", "key": "k"},
        eventTime="2026-03-01T10:00:00Z",
    )
    s3 = aws_lab.client("s3")
    s3.create_bucket(Bucket="trail-bucket")
    s3.put_object(
        Bucket="trail-bucket",
        Key=f"AWSLogs/{ACCOUNT}/CloudTrail/{FAR}/2026/03/01/x.json.gz",
        Body=gzip.compress(json.dumps({"Records": [old]}).encode()),
    )
    lake = record("s3:GetObject", by_user(key=thief.key), eventTime="2026-03-02T10:00:00Z")
    TRAIL.plant(lake)
    store = "11111111-2222-3333-4444-555555555555"
    more = ("--trail", "s3://trail-bucket", "--lake", store, "--since", "2026-02-28")
    answer = cordon("hunt", "--key", thief.key, "--regions", "us-east-1", *more, "--json")
    document = answer.document
    assert answer.code == 0, document["gaps"]
    assert [e["name"] for e in document["events"]] == ["DeleteObject"]
    assert [r["name"] for r in document["reads"]] == ["GetObject"]
    assert document["sources"] == {
        "trail s3://trail-bucket/AWSLogs/": "ok",
        f"lake {store}": "ok",
    }


def test_what_can_t_be_read_of_a_trail_is_a_gap_and_the_rest_counts(
    thief: Thief, cordon: Cordon, aws_lab: AwsLab
) -> None:
    old = record("s3:DeleteObject", by_user(key=thief.key), region=FAR)
    s3 = aws_lab.client("s3")
    s3.create_bucket(Bucket="trail-bucket")
    folder = f"AWSLogs/{ACCOUNT}/CloudTrail/{FAR}/2026/03/01"
    body = json.dumps({"Records": [old]}).encode()
    s3.put_object(Bucket="trail-bucket", Key=f"{folder}/x.json", Body=body)
    s3.put_object(
        Bucket="trail-bucket", Key=f"{folder}/y.json.gz", Body=b"", StorageClass="DEEP_ARCHIVE"
    )
    more = ("--trail", "s3://trail-bucket", "--since", "2026-02-28", "--regions", "us-east-1")
    answer = cordon("hunt", "--key", thief.key, *more, "--json")
    assert answer.code == 3
    assert [e["name"] for e in answer.document["events"]] == ["DeleteObject"]
    assert answer.document["complete"] is False
    assert any("restore-object" in gap for gap in answer.document["gaps"])


def test_a_later_hunt_of_the_case_asks_what_an_earlier_one_decoded(
    thief: Thief, cordon: Cordon, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = tmp_path / f"copy/AWSLogs/{ACCOUNT}/CloudTrail/{FAR}/2026/03/01"
    day.mkdir(parents=True)
    for name in ("DeleteObject", "PutObject"):
        old = record(f"s3:{name}", by_user(key=thief.key), region=FAR)
        (day / f"{name}.json").write_text(json.dumps({"Records": [old]}))
    trail = ("--trail", str(tmp_path / "copy"), "--since", "2026-02-28", "--regions", "us-east-1")
    hunt = ("hunt", "--key", thief.key, "--case", "IR-7", *trail, "--json")
    first = cordon(*hunt).document
    assert {e["name"] for e in first["events"]} == {"DeleteObject", "PutObject"}
    assert first["gaps"] == []
    part = Path(first["evidence"]["local"]) / "evidence/trail/part-000001.parquet"
    assert part.is_file()
    # The object is changed without a trace in its size and time: only what was decoded has it.
    objects = sorted(day.iterdir())
    status = objects[0].stat()
    objects[0].write_bytes(b" " * status.st_size)
    os.utime(objects[0], ns=(status.st_atime_ns, status.st_mtime_ns))
    again = cordon(*hunt).document
    assert {e["name"] for e in again["events"]} == {"DeleteObject", "PutObject"}
    assert not (Path(again["evidence"]["local"]) / "evidence/trail").exists()
    assert cordon("case", "verify", "--case", "IR-7", "--json").document["outcome"] == "verified"
    # A part that is not what the journal says is not believed, and the objects are read again.
    part.write_bytes(part.read_bytes()[:-1] + b"x")
    third = cordon(*hunt).document
    assert {e["name"] for e in third["events"]} == {"PutObject"}
    assert third["complete"] is False
    # Without the libraries the objects are read all the same, and the note says what would help.
    monkeypatch.setattr("responders.hunt.trail_source.EXTRA", ("no_such_library",))
    plain = cordon(*hunt).document
    assert {e["name"] for e in plain["events"]} == {"PutObject"}
    assert plain["gaps"] == third["gaps"]
    assert any("aws-cordon[hunt]" in note for note in plain["notes"])


def test_a_trail_of_which_nothing_was_read_is_a_gap(
    thief: Thief, cordon: Cordon, aws_lab: AwsLab
) -> None:
    s3 = aws_lab.client("s3")
    s3.create_bucket(Bucket="trail-bucket")
    folder = f"AWSLogs/{ACCOUNT}/CloudTrail/{FAR}/2019/03/01"
    s3.put_object(Bucket="trail-bucket", Key=f"{folder}/x.json", Body=b'{"Records": []}')
    more = ("--trail", "s3://trail-bucket", "--since", "24h", "--regions", "us-east-1")
    answer = cordon("hunt", "--key", thief.key, *more, "--json")
    assert answer.code == 3
    assert any("nothing was read" in gap for gap in answer.document["gaps"])


def test_a_trail_is_validated(
    thief: Thief, cordon: Cordon, aws_lab: AwsLab, faults: Faults
) -> None:
    s3 = aws_lab.client("s3")
    s3.create_bucket(Bucket="trail-bucket")
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    begin = now - timedelta(hours=30)
    hours = [
        [record("s3:PutObject", by_user(key=thief.key), eventTime=f"{begin:%FT%H}:{n:02}:00Z")]
        for n in range(30)
    ]
    put = [*delivery("trail-bucket", ACCOUNT, FAR, begin, hours)]
    for item in put:
        s3.put_object(
            Bucket="trail-bucket", Key=item.key, Body=item.body, Metadata=dict(item.metadata)
        )
    since = ("--since", f"{begin:%FT%H:00Z}", "--regions", "us-east-1")
    hunt = ("hunt", "--key", thief.key, "--trail", "s3://trail-bucket", *since, "--json")
    document = cordon(*hunt, "--validate").document
    assert document["gaps"] == []
    (note,) = [note for note in document["notes"] if "validated" in note]
    assert "30 objects are as CloudTrail delivered them and none is missing" in note

    logs = [item.key for item in put if "Digest" not in item.key]
    digests = [item.key for item in put if "Digest" in item.key]
    s3.delete_object(Bucket="trail-bucket", Key=logs[5])
    s3.put_object(Bucket="trail-bucket", Key=logs[7], Body=gzip.compress(b'{"Records": []}'))
    s3.copy_object(
        Bucket="trail-bucket",
        Key=logs[9].replace("05Z_", "06Z_"),
        CopySource={"Bucket": "trail-bucket", "Key": logs[9]},
    )
    s3.delete_object(Bucket="trail-bucket", Key=digests[12])
    faults.deny("cloudtrail", "ListPublicKeys", region="eu-west-2")
    answer = cordon(*hunt, "--validate")
    assert answer.code == 3
    told = " ".join(answer.document["gaps"])
    at = {n: f"{begin + timedelta(hours=n):%F %H} h UTC {FAR}" for n in (5, 7, 9, 12)}
    for hours_told, words in (
        (f"1 object of {at[5]}", "it was delivered, and is not there"),
        (f"1 object of {at[7]}", "it was changed since it was delivered"),
        # The twelfth hour's own object is in no digest that is left.
        (f"2 objects of {at[9]} to {at[12]} (2 hours)", "it is in no digest"),
    ):
        assert f"{hours_told} not proven" in told
        assert words in told
    lost = begin + timedelta(hours=12)
    assert f"digests are missing from {lost:%FT%TZ} to {lost + timedelta(hours=1):%FT%TZ}" in told
    assert "eu-west-2: CloudTrail's public keys are unknown" in told
    assert cordon(*hunt).code == 0


@pytest.mark.parametrize("words", [(), ("--trail", ".")])
def test_what_can_t_be_validated_is_refused(
    thief: Thief, cordon: Cordon, calls: Calls, words: tuple[str, ...]
) -> None:
    answer = cordon("hunt", "--key", thief.key, "--validate", *words)
    assert answer.code == 2
    assert "--validate needs the trail's bucket" in answer.err
    assert calls.mutating == []


def test_events_as_csv(thief: Thief, cordon: Cordon, tmp_path: Path) -> None:
    thief.client("ec2", FAR).create_key_pair(KeyName="evil")
    hostile = record(
        "ec2:StopInstances", by_user(key=thief.key), userAgent='=cmd|"/c calc"!A1\x1b[2J\n-x'
    )
    hostile["eventTime"] = TRAIL.records("us-east-1")[0]["eventTime"]
    TRAIL.plant(hostile)
    path = tmp_path / "events.csv"
    assert cordon("hunt", "--key", thief.key, "--csv", str(path)).code == 0
    rows = list(csv.DictReader(path.open()))
    assert {row["name"] for row in rows} == {"StopInstances", "CreateKeyPair"}
    (stop,) = [row for row in rows if row["name"] == "StopInstances"]
    assert stop["agent"] == '\'=cmd|"/c calc"!A1 [2J -x'
    assert all(not cell.startswith(("=", "+", "-", "@")) for row in rows for cell in row.values())
    assert cordon("hunt", "--key", thief.key, "--csv", str(path)).code == 2  # it exists

    to_stdout = cordon("hunt", "--key", thief.key, "--csv", "-")
    assert len(list(csv.DictReader(io.StringIO(to_stdout.out)))) == 2
    assert "FOUND" in to_stdout.err


def test_events_as_json_lines(thief: Thief, cordon: Cordon, tmp_path: Path) -> None:
    thief.client("iam").create_user(UserName="eve")
    with pytest.raises(Exception, match="NoSuchEntity"):
        thief.client("iam").delete_user(UserName="nobody")
    at = TRAIL.records("us-east-1")[0]["eventTime"]
    stop = record("ec2:StopInstances", by_user(key=thief.key), userAgent="\x1b[2J\nx", eventTime=at)
    TRAIL.plant(stop)
    sketch, ocsf = tmp_path / "sketch.jsonl", tmp_path / "ocsf.jsonl"
    files = ("--jsonl", str(sketch), "--ocsf", str(ocsf))
    assert cordon("hunt", "--key", thief.key, *files, "--regions", "us-east-1").code == 0
    assert all(byte < 128 and byte != 0x1B for byte in sketch.read_bytes())
    lines = {one["event_name"]: one for one in map(json.loads, sketch.read_text().splitlines())}
    assert set(lines) == {"StopInstances", "CreateUser", "DeleteUser"}
    made = lines["CreateUser"]
    assert made["message"] == f"iam:CreateUser eve by arn:aws:iam::{ACCOUNT}:user/alice"
    assert made["timestamp_desc"] == "CloudTrail event"
    assert datetime.fromisoformat(made["datetime"]).tzinfo is not None
    assert made["techniques"] == ["T1136.003"]
    assert "failed: NoSuchEntity" in lines["DeleteUser"]["message"]

    events = {e["api"]["operation"]: e for e in map(json.loads, ocsf.read_text().splitlines())}
    assert set(events) == set(lines)
    for event in events.values():
        assert (event["class_uid"], event["category_uid"]) == (6003, 6)
        assert event["type_uid"] == 600300 + event["activity_id"]
        assert event["metadata"]["version"] == "1.3.0"
        assert isinstance(event["time"], int)
    created, failed = events["CreateUser"], events["DeleteUser"]
    assert (created["activity_id"], created["status_id"]) == (1, 1)
    assert created["time"] == int(datetime.fromisoformat(made["datetime"]).timestamp() * 1000)
    assert created["actor"]["user"]["credential_uid"] == thief.key
    assert created["attacks"] == [{"technique": {"uid": "T1136.003"}}]
    assert failed["status_id"] == 2
    assert failed["api"]["response"]["error"].startswith("NoSuchEntity")


def test_hostile_text_moves_no_cursor(thief: Thief, cordon: Cordon) -> None:
    at = TRAIL.records("us-east-1")[0]["eventTime"]
    for name in ("\x1b[2Jred", "[bold]markup[/bold]", "; reboot"):
        made = record(
            "iam:CreateUser", by_user(key=thief.key), response={"user": {"userName": name}}
        )
        TRAIL.plant({**made, "eventTime": at})
    answer = cordon("hunt", "--key", thief.key)
    assert "\x1b" not in answer.out
    assert "\\x1b[2Jred" in answer.out
    assert "[bold]markup[/bold]" in answer.out


def test_a_case_keeps_the_raw_events(
    thief: Thief, cordon: Cordon, aws_lab: AwsLab, calls: Calls
) -> None:
    prepare_vault(aws_lab, "eu-west-1")
    vault = ("--region", "eu-west-1")
    thief.client("s3").create_bucket(Bucket="evil-bucket")
    answer = cordon("hunt", "--key", thief.key, "--case", "IR-7", *vault, "--json")
    document = answer.document
    assert answer.code == 0, answer.err
    assert document["evidence"]["complete"] is True
    folder = Path(document["evidence"]["local"]) / "evidence" / "hunt"
    raw = gzip.decompress((folder / "events-00001.jsonl.gz").read_bytes()).splitlines()
    assert [json.loads(line)["eventName"] for line in raw] == ["CreateBucket"]
    assert json.loads((folder / "findings.json").read_bytes())["created"][0]["id"] == "evil-bucket"
    assert document["created"][0]["contain"]
    assert cordon("case", "verify", "--case", "IR-7").code == 0
    stored = aws_lab.client("s3").list_objects_v2(Bucket=VAULT)["Contents"]
    assert any(o["Key"].endswith("events-00001.jsonl.gz") for o in stored)
    assert {c.action for c in calls.mutating if "cordon/" in c.user_agent} == {"s3:PutObject"}

    again = cordon("hunt", "--key", thief.key, "--case", "IR-7", *vault)
    assert again.code == 0
    assert "cordon key" not in again.out
    assert cordon("case", "verify", "--case", "IR-7").code == 0


def test_a_hunt_that_died_is_not_resumed(
    thief: Thief, cordon: Cordon, monkeypatch: pytest.MonkeyPatch
) -> None:
    def dies(*_: Any) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr("responders.hunt.hunting._Summary.made", dies)
    assert cordon("hunt", "--key", thief.key, "--case", "IR-7").code == 4
    resumed = cordon("resume", "--case", "IR-7", "--json")
    assert (resumed.code, resumed.document["outcome"]) == (0, "nothing-to-resume")


def test_a_hunt_holds_no_lock(thief: Thief, cordon: Cordon) -> None:
    """What it finds can be contained in the same case while it goes on."""
    with Case("IR-7").locked(thief.key):
        assert cordon("hunt", "--key", thief.key, "--case", "IR-7").code == 3  # no vault


def test_an_interrupted_hunt_tells_what_it_has(
    thief: Thief, cordon: Cordon, monkeypatch: pytest.MonkeyPatch
) -> None:
    thief.client("s3").create_bucket(Bucket="evil-bucket")
    search = lookup.EventHistory.search

    def interrupted(self: Any, *args: Any) -> Any:
        for page in search(self, *args):
            yield page
            self._stop.set()

    monkeypatch.setattr(lookup.EventHistory, "search", interrupted)
    answer = cordon("hunt", "--key", thief.key, "--regions", "us-east-1", "--json")
    assert answer.code == 130
    assert answer.document["complete"] is False
    assert [c["id"] for c in answer.document["created"]] == ["evil-bucket"]


def test_interrupted_while_new_things_are_listed(
    thief: Thief, cordon: Cordon, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    thief.client("s3").create_bucket(Bucket="evil-bucket")
    monkeypatch.setattr("responders.hunt.hunting.new_since", interrupted)
    answer = cordon("hunt", "--key", thief.key, "--without-trail", "--json")
    assert answer.code == 130
    assert [c["id"] for c in answer.document["created"]] == ["evil-bucket"]
    assert "interrupted" in answer.document["gaps"][0]


def test_lists_are_cut_and_say_so(
    thief: Thief, cordon: Cordon, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("responders.hunt.hunting.LISTED", 2)
    monkeypatch.setattr("responders.hunt.digest.LISTED", 2)
    monkeypatch.setattr(existence, "BATCH", 2)
    ec2 = thief.client("ec2", FAR)
    ec2.run_instances(ImageId="ami-12345678", MinCount=5, MaxCount=5)
    for name in "abc":
        ec2.create_key_pair(KeyName=name)
    document = cordon("hunt", "--key", thief.key, "--json").document
    assert document["counts"]["created"] == 4
    assert len(document["created"]) == len(document["events"]) == 2
    assert document["not_listed"] == {"created": 6, "events": 2}
