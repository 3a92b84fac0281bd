"""Whether things are there, with whom they are shared, and what is new by its own date."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from lab.calls import Calls
from lab.faults import Faults
from responders.aws import Access, Aws
from responders.hunt import existence
from responders.hunt.existence import GONE, Ref, State, look, shared_with
from responders.hunt.inventory import command, inventory, known
from responders.hunt.outside import Home
from responders.hunt.without_trail import new_since
from tests.conftest import AwsLab
from tests.responders.hunt.records import OUTSIDE

REGION = "eu-west-1"
ACCOUNT = "123456789012"
HOME = Home(ACCOUNT)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def aws(aws_lab: AwsLab) -> Aws:
    return Aws(Access(region=REGION))


def test_every_type_can_be_looked_at(aws: Aws, calls: Calls) -> None:
    """What is not there is gone, whatever the service says for it, and no error."""
    odd = {
        "AWS::SNS::Topic": f"arn:aws:sns:{REGION}:{ACCOUNT}:gone",
        "AWS::SQS::Queue": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/gone",
        "AWS::IAM::ManagedPolicy": f"arn:aws:iam::{ACCOUNT}:policy/gone",
        "AWS::IAM::SAMLProvider": f"arn:aws:iam::{ACCOUNT}:saml-provider/gone",
        "AWS::IAM::OIDCProvider": f"arn:aws:iam::{ACCOUNT}:oidc-provider/gone.example.com",
        "AWS::KMS::Key": "00000000-0000-0000-0000-000000000000",
        "AWS::StepFunctions::StateMachine": f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:gone",
        "AWS::CloudTrail::Trail": "gone-trail",
        "AWS::SecretsManager::Secret": "gone-secret",
        "AWS::EC2::Instance": "i-0123456789abcdef0",
    }
    types = [t for t in inventory().values() if t.look]
    policies = f"arn:aws:iam::{ACCOUNT}:policy/gone"
    refs = [Ref(t.name, odd.get(t.name, "gone"), _owner(t.name, policies), REGION) for t in types]
    states = look(aws, refs)
    assert {ref.type: state for ref, state in states.items() if state != GONE} == {}
    called = calls.actions
    assert {t.look.call for t in types if t.look} <= called


def _owner(kind: str, policy: str) -> str:
    return policy if kind == "AWS::IAM::PolicyVersion" else "gone"


def test_what_is_there_is_told_with_its_state(aws: Aws, aws_lab: AwsLab) -> None:
    ec2, iam = aws_lab.client("ec2", REGION), aws_lab.client("iam")
    ids = [
        i["InstanceId"]
        for i in ec2.run_instances(ImageId="ami-12345678", MinCount=3, MaxCount=3)["Instances"]
    ]
    ec2.terminate_instances(InstanceIds=ids[:1])
    iam.create_user(UserName="eve")
    key = iam.create_access_key(UserName="eve")["AccessKey"]["AccessKeyId"]
    iam.update_access_key(UserName="eve", AccessKeyId=key, Status="Inactive")
    refs = [Ref("AWS::EC2::Instance", i, "", REGION) for i in ids]
    refs.append(Ref("AWS::IAM::AccessKey", key, "eve", "us-east-1"))
    states = look(aws, refs)
    assert [states[ref] for ref in refs] == [
        State(False, "terminated"),
        State(True, "running"),
        State(True, "running"),
        State(True, "Inactive"),
    ]


def test_many_of_a_kind_are_asked_for_at_once(
    aws: Aws, calls: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(existence, "BATCH", 4)
    refs = [Ref("AWS::EC2::Instance", f"i-{n:017x}", "", REGION) for n in range(10)]
    assert set(look(aws, refs).values()) == {GONE}
    asked = calls.of("ec2", "DescribeInstances")
    assert sorted(len(c.params["Filters"][0]["Values"]) for c in asked) == [2, 4, 4]


def test_what_can_t_be_told_is_not_gone(aws: Aws, faults: Faults) -> None:
    faults.deny("ec2", "DescribeInstances")
    denied = Ref("AWS::EC2::Instance", "i-0123456789abcdef0", "", REGION)
    unknown = Ref("newservice::Widget", "w", "", REGION)
    nameless = Ref("AWS::EC2::Instance", "", "", "us-east-1")
    states = look(aws, [denied, unknown, nameless])
    assert states[denied].exists is None
    assert "UnauthorizedOperation" in states[denied].error
    assert states[unknown] == states[nameless] == State()


def test_with_whom_things_are_shared_now(aws: Aws, aws_lab: AwsLab) -> None:
    ec2, iam, s3 = (aws_lab.client(s, REGION) for s in ("ec2", "iam", "s3"))
    volume = ec2.create_volume(AvailabilityZone=f"{REGION}a", Size=1)["VolumeId"]
    snapshot = ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    ref = Ref("AWS::EC2::Snapshot", snapshot, "", REGION)
    assert shared_with(aws, ref, HOME) == []
    for user in ({"UserIds": [OUTSIDE]}, {"GroupNames": ["all"]}):
        ec2.modify_snapshot_attribute(
            SnapshotId=snapshot, Attribute="createVolumePermission", OperationType="add", **user
        )
    assert sorted(shared_with(aws, ref, HOME) or ()) == [OUTSIDE, "all"]

    trust = {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": [f"arn:aws:iam::{OUTSIDE}:root", ACCOUNT]},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    iam.create_role(RoleName="app", AssumeRolePolicyDocument=json.dumps(trust))
    role = Ref("AWS::IAM::Role", "app", "", "us-east-1")
    assert shared_with(aws, role, HOME) == [f"arn:aws:iam::{OUTSIDE}:root"]

    s3.create_bucket(Bucket="open-bucket", CreateBucketConfiguration={"LocationConstraint": REGION})
    bucket = Ref("AWS::S3::Bucket", "open-bucket", "", REGION)
    assert shared_with(aws, bucket, HOME) == []
    s3.put_bucket_policy(
        Bucket="open-bucket",
        Policy=json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": "*",
                        "Action": "s3:GetObject",
                        "Resource": "arn:aws:s3:::open-bucket/*",
                    }
                ],
            }
        ),
    )
    assert shared_with(aws, bucket, HOME) == ["*"]
    image = ec2.register_image(Name="own", RootDeviceName="/dev/xvda")["ImageId"]
    assert shared_with(aws, Ref("AWS::EC2::Image", image, "", REGION), HOME) == []
    assert shared_with(aws, Ref("AWS::SQS::Queue", "q", "", REGION), HOME) is None
    gone = Ref("AWS::EC2::Snapshot", "snap-0123456789abcdef0", "", REGION)
    assert shared_with(aws, gone, HOME) == []


def test_commands_are_safe_to_paste() -> None:
    remedy = known("AWS::IAM::User").remedy
    values = {"id": "$(reboot)'; x", "owner": "", "region": REGION, "case": "IR-7", "with": []}
    assert command(remedy, values) == "cordon user '$(reboot)'\"'\"'; x' --case IR-7"
    assert command(remedy, {**values, "id": "--force-own-key"}) == ""
    assert command(remedy, {**values, "id": ""}) == ""
    unshare = known("AWS::RDS::DBSnapshot").unshare
    assert "--values-to-remove 1 'a b' --region" in command(
        unshare, {**values, "id": "s", "with": ["1", "a b"]}
    )
    assert command("", values) == ""


# -- without a trail --


def test_what_is_new_by_its_own_date(aws: Aws, aws_lab: AwsLab, calls: Calls) -> None:
    ec2, iam = aws_lab.client("ec2", REGION), aws_lab.client("iam")
    instance = ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1)["Instances"][0]
    key_pair = ec2.create_key_pair(KeyName="evil")["KeyPairId"]
    iam.create_user(UserName="eve")
    key = iam.create_access_key(UserName="eve")["AccessKey"]["AccessKeyId"]
    iam.create_role(RoleName="evil", AssumeRolePolicyDocument="{}")
    found = new_since(aws, [REGION, "us-east-1"], "us-east-1", LONG_AGO)
    assert found.errors == {}
    told = {(new.type, new.id): new for new in found.found}
    assert told["AWS::EC2::Instance", instance["InstanceId"]].region == REGION
    assert told["AWS::EC2::KeyPair", key_pair].state == "evil"
    assert told["AWS::IAM::User", "eve"].region == "us-east-1"
    assert told["AWS::IAM::AccessKey", key].owner == "eve"
    assert ("AWS::IAM::Role", "evil") in told
    group = instance["SecurityGroups"][0]["GroupId"]
    assert instance["InstanceId"] in told["AWS::EC2::SecurityGroup", group].note
    listed = {t.listing.call for t in inventory().values() if t.listing}
    assert listed <= calls.actions
    assert len(calls.of("iam", "ListUsers")) <= 3

    later = datetime.now(UTC) + timedelta(minutes=5)
    assert new_since(aws, [REGION], "us-east-1", later).found == []


def test_a_region_that_can_t_be_listed_is_named(aws: Aws, faults: Faults) -> None:
    faults.deny("ec2", "DescribeInstances", region=REGION)
    faults.unreachable("lambda", region="us-east-1")
    found = new_since(aws, [REGION, "us-east-1"], "us-east-1", LONG_AGO)
    assert list(found.errors) == [REGION, "us-east-1"]
    assert "AWS::EC2::Instance can't be listed" in found.errors[REGION][0]
    assert "AWS::Lambda::Function can't be listed" in found.errors["us-east-1"][0]
