"""What is still open when a hunt ends: judged by what AWS says now."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lab.faults import Faults
from responders.aws import Access, Aws
from responders.hunt.denied import Denials
from responders.hunt.existence import Ref, look
from responders.hunt.expiry import expiry
from responders.hunt.findings import Created, Followed, Through
from responders.hunt.inventory import inventory
from responders.hunt.open_lead import OpenLead
from responders.hunt.still_open import StillOpen
from responders.identity import deny_document
from tests.conftest import AwsLab

ACCOUNT = "123456789012"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
USER = f"arn:aws:iam::{ACCOUNT}:user/alice"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/app/mallory"


@pytest.fixture
def aws(aws_lab: AwsLab) -> Aws:
    iam = aws_lab.client("iam")
    iam.create_user(UserName="alice")
    iam.create_role(RoleName="app", AssumeRolePolicyDocument="{}")
    return Aws(Access(region="us-east-1"))


def made(type_: str, id_: str = "x", **more: Any) -> Created:
    facts = {"region": "us-east-1", "time": "2026-03-01T11:00:00.000Z", "event": "e", "name": "n"}
    who = {"service": "s", "actor": USER, "origin": "key K", "through": (), "owner": ""}
    return Created(**{"type": type_, "id": id_, "exists": True, **facts, **who, **more})  # type: ignore[arg-type]


def minted(value: str = "ASIA1", **more: Any) -> Followed:
    step = Through("e", "GetSessionToken", "2026-03-01T11:00:00.000Z", "us-east-1", "key K")
    return Followed("key", value, 1, (step,), 3, **more)


def judged(aws: Aws, *created: Created, followed: tuple[Followed, ...] = ()) -> list[OpenLead]:
    shared = [one for one in created if one.shared_with]
    others = [one for one in created if not one.shared_with]
    judge = StillOpen(aws, ACCOUNT, NOW, Denials(aws))
    return judge.leads(others, shared, [], followed)


def test_the_worst_comes_first_and_what_can_do_nothing_is_left_out(aws: Aws) -> None:
    leads = judged(
        aws,
        made("AWS::S3::Bucket", "b"),
        made("AWS::Lambda::Function", "f"),
        made("AWS::IAM::AccessKey", "AKIA1", owner="bob", state="Active"),
        made("AWS::IAM::AccessKey", "AKIA2", owner="bob", state="Inactive"),
        made("AWS::EC2::Instance", "i-1", state="running"),
        made("AWS::EC2::Instance", "i-2", state="stopped"),
        made("AWS::EC2::Instance", "i-3", exists=False, state="terminated"),
        made(
            "AWS::IAM::Role",
            "app",
            shared_with=("444455556666",),
            still_shared_with=("444455556666",),
        ),
        made("AWS::EC2::Snapshot", "snap-1", shared_with=("all",), still_shared_with=()),
        made("AWS::EC2::Snapshot", "snap-2", shared_with=("all",), still_shared_with=None),
    )
    assert [(one.severity, one.kind, one.id) for one in leads] == [
        ("critical", "machine", "i-1"),
        ("critical", "key", "AKIA1"),
        ("critical", "role-trust", "app"),
        ("high", "function", "f"),
        ("high", "share", "snap-2"),
        ("low", "machine", "i-2"),
        ("low", "resource", "b"),
    ]
    assert [one.acts for one in leads] == [True] * 5 + [False] * 2


def test_what_could_not_be_looked_at_is_open_and_says_so(aws: Aws) -> None:
    (lead,) = judged(aws, made("AWS::EC2::Instance", "i-1", exists=None, error="AccessDenied"))
    assert (lead.severity, lead.state) == ("critical", "not known: AccessDenied")


def test_a_session_is_open_until_it_ends_or_is_denied(aws: Aws, aws_lab: AwsLab) -> None:
    ended = minted(expires="Mar 1, 2026, 11:59:00 AM")
    valid = minted(expires="Mar 1, 2026, 1:00:00 PM", holder=USER)
    untold = minted("ASIA2", holder=SESSION, confidence="possible")
    assert judged(aws, followed=(ended,)) == []
    found = judged(aws, followed=(valid, untold))
    assert [(one.id, one.severity) for one in found] == [("ASIA1", "high"), ("ASIA2", "medium")]

    iam = aws_lab.client("iam")
    before = deny_document.text(deny_document.sessions_before(NOW))
    iam.put_user_policy(UserName="alice", PolicyName="deny", PolicyDocument=before)
    named = deny_document.sessions_before(NOW, deny_document.named_session("AROA1", "mallory"))
    document = deny_document.text(named)
    iam.put_role_policy(RoleName="app", PolicyName="deny", PolicyDocument=document)
    assert judged(aws, followed=(valid, untold)) == []
    later = Through("e", "n", "2026-03-01T12:30:00.000Z", "us-east-1", "key K")
    renewed = Followed("key", "ASIA3", 1, (later,), 0, holder=USER)
    assert [one.id for one in judged(aws, followed=(renewed,))] == ["ASIA3"]


@pytest.mark.parametrize(
    ("statement", "denied"),
    [
        ({}, True),
        ({"Effect": "Allow"}, False),
        ({"Action": "ec2:*"}, False),
        ({"Resource": f"arn:aws:s3:::x"}, False),  # noqa: F541
        ({"Condition": {"Bool": {"aws:ViaAWSService": "false"}}}, False),
        ({"Condition": {"DateLessThan": {"aws:TokenIssueTime": "2026-03-01T00:00:00Z"}}}, False),
        ({"Action": ["s3:*", "*"], "Resource": ["*"]}, True),
    ],
)
def test_only_a_deny_of_everything_takes_a_user_off_the_list(
    aws: Aws, aws_lab: AwsLab, statement: dict[str, Any], denied: bool
) -> None:
    whole = {"Effect": "Deny", "Action": "*", "Resource": "*", **statement}
    document = json.dumps({"Version": "2012-10-17", "Statement": whole})
    aws_lab.client("iam").put_user_policy(UserName="alice", PolicyName="p", PolicyDocument=document)
    leads = judged(aws, made("AWS::IAM::User", "alice"), made("AWS::IAM::LoginProfile", "alice"))
    assert (leads == []) is denied


def test_policies_that_can_t_be_read_deny_nothing_and_are_a_gap(aws: Aws, faults: Faults) -> None:
    faults.deny("iam", "ListUserPolicies")
    denials = Denials(aws)
    assert not denials.of("user", "alice").everything
    assert "user alice is denied everything could not be told" in denials.errors[0]
    assert not Denials(aws).of("user", "nobody").everything


@pytest.mark.parametrize(
    ("text", "hour"),
    [
        ("Mar 1, 2026, 1:00:00 PM", 13),
        ("Mar 1, 2026 1:00:00 AM", 1),
        ("Mar 1, 2026, 1:00:00\u202fPM", 13),
        ("2026-03-01T13:00:00Z", 13),
        ("2026-03-01T13:00:00", 13),
        ("tomorrow", None),
        ("", None),
    ],
)
def test_forms_of_the_time_at_which_a_session_ends(text: str, hour: int | None) -> None:
    moment = expiry(text)
    assert (moment.hour if moment else None) == hour
    assert moment is None or moment.utcoffset() == timedelta()


def test_names_addresses_and_tags_stand_beside_ids(aws: Aws, aws_lab: AwsLab) -> None:
    ec2 = aws_lab.client("ec2")
    tags = [{"Key": "Name", "Value": "miner"}, {"Key": "owner", "Value": "[bold]"}]
    machine = ec2.run_instances(
        ImageId="ami-12345678",
        MinCount=1,
        MaxCount=1,
        TagSpecifications=[{"ResourceType": "instance", "Tags": tags}],
    )["Instances"][0]
    ref = Ref("AWS::EC2::Instance", machine["InstanceId"], "", "us-east-1")
    state = look(aws, [ref])[ref]
    assert (state.name, state.tags["owner"]) == ("miner", "[bold]")
    assert re.fullmatch(r"\d+(\.\d+){3}", state.address)


@pytest.mark.parametrize(
    ("egress", "ssh", "severity", "state"),
    [
        (True, False, "critical", "running"),
        (False, False, "low", "running, cut off"),
        (False, True, "medium", "running, cut off but for tcp 22 from 203.0.113.0/24"),
    ],
)
def test_a_machine_that_is_cut_off_is_less_bad_and_stays_on_the_list(
    aws: Aws, aws_lab: AwsLab, egress: bool, ssh: bool, severity: str, state: str
) -> None:
    ec2 = aws_lab.client("ec2")
    group = ec2.create_security_group(GroupName="g", Description="g")["GroupId"]
    if not egress:
        (rule,) = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
        ec2.revoke_security_group_egress(GroupId=group, IpPermissions=rule["IpPermissionsEgress"])
    if ssh:
        ec2.authorize_security_group_ingress(
            GroupId=group, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="203.0.113.0/24"
        )
    machine = made("AWS::EC2::Instance", "i-1", state="running", groups=(group,))
    (lead,) = judged(aws, machine)
    assert (lead.severity, lead.state) == (severity, state)
    gone = made("AWS::EC2::Instance", "i-1", state="running", groups=(group, "sg-gone"))
    (lead,) = judged(aws, gone)
    assert (lead.severity, lead.state) == ("critical", "running")


CUTS_A_PATH = {
    "AWS::EC2::EC2Fleet",
    "AWS::EC2::NatGateway",
    "AWS::EC2::VPCEndpoint",
    "AWS::EC2::VPCPeeringConnection",
    "AWS::SSM::Session",
}
"""They hold no data, and nothing but ending them cuts them off."""


def test_no_command_offers_to_delete_evidence() -> None:
    for kind in inventory().values():
        for line in (kind.remedy, kind.unshare):
            ends = re.search(
                r" (delete|terminate|deregister|purge|release)-|(size|capacity) 0\b", line
            )
            assert ends is None or kind.name in CUTS_A_PATH, line
            assert ";" not in line, "one command"
