"""Who may still do what under the guardrails, judged by evaluating them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import pytest

from components.guardrails import DETACHED, POLICIES, Scope, content
from contract import POLICIES_PER_TARGET, SCP_LIMIT, Purpose, kit_tags
from lab.policy import Asked, denied_by
from lab.program import Program
from tests.preparation import declare

A = "111122223333"
ORGANIZATION = "o-exampleorg1"
PARTITIONS = ("aws", "aws-cn", "aws-us-gov")
PROVISIONER = "arn:aws:iam::*:role/deploy/pulumi"
SCOPE = Scope("aws", ORGANIZATION, (PROVISIONER,), ("arn:aws:iam::*:user/alice",))
ENFORCED = ("prepared", "quarantine")


def iam(resource: str, account: str = A) -> str:
    return f"arn:aws:iam::{account}:{resource}"


RESPONDER = iam("role/cordon/cordon-responder")
BREAK_GLASS = iam("role/cordon/cordon-break-glass")
BUILDER = iam("role/deploy/pulumi")
ANALYST = iam("role/cordon/cordon-analyst")
ADMIN = iam("role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Administrator_0123456789abcdef")
ROOT = iam("root")
NAMESAKE = iam("role/cordon-responder")
OTHERS = (ADMIN, ROOT, NAMESAKE, ANALYST, iam("user/mallory"))


@dataclass(frozen=True)
class Call:
    """One request: the action, the resource, that resource's tags, and other context."""

    action: str
    resource: str
    tags: dict[str, str] = field(default_factory=dict)
    context: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.action} {self.resource.rsplit(':', 1)[-1]}"


def ec2(kind: str) -> str:
    return f"arn:aws:ec2:eu-west-1:{A}:{kind}/x-0abc"


KIT = {"cordon:kit": "0.1.0", "cordon:purpose": "isolate"}
MARKED = {"cordon:status": "quarantined", "cordon:case": "IR-7"}
EVIDENCE = {"cordon:status": "evidence", "cordon:case": "IR-7"}
GROUP, INSTANCE, ENI = ec2("security-group"), ec2("instance"), ec2("network-interface")
VOLUME, SNAPSHOT = ec2("volume"), ec2("snapshot").replace(A, "")
VAULT = "arn:aws:s3:::cordon-vault-111122223333-eu-west-1"
KEY = f"arn:aws:kms:eu-west-1:{A}:key/0abc"
GROUP_OF_INSTANCES = f"arn:aws:autoscaling:eu-west-1:{A}:autoScalingGroup:1:autoScalingGroupName/w"
DENIES = {"iam:PolicyARN": f"arn:aws:iam::{A}:policy/cordon/cordon-deny-IR-7=user.bob"}
DOCUMENT = f"arn:aws:ssm:eu-west-1:{A}:document/cordon-memory"
MANIFEST = f"arn:aws:ssm:eu-west-1:{A}:parameter/cordon/manifest"
KIT_ROLE = iam("role/cordon/cordon-responder")


def keys(*names: str) -> dict[str, Any]:
    return {"aws:TagKeys": names}


PERSON = iam("user/alice")
PREPARATION = [
    # who could become a responder, or build what exempts them
    Call("iam:CreateAccessKey", PERSON),
    Call("iam:UpdateLoginProfile", PERSON),
    Call("iam:EnableMFADevice", PERSON),
    Call("iam:DeactivateMFADevice", PERSON),
    Call("iam:PutUserPolicy", PERSON),
    Call("iam:PassRole", BUILDER),
    # a region's default for volumes, which no tag marks
    Call("ec2:DisableEbsEncryptionByDefault", "*"),
    # ways into a prepared network
    Call("ec2:EnableVgwRoutePropagation", ec2("route-table"), KIT),
    Call("ec2:ApplySecurityGroupsToClientVpnTargetNetwork", GROUP, KIT),
    # what would hide or copy what the kit logs and keeps
    Call("logs:PutDataProtectionPolicy", f"arn:aws:logs:eu-west-1:{A}:log-group:/cordon/x:*"),
    Call("logs:PutSubscriptionFilter", f"arn:aws:logs:eu-west-1:{A}:log-group:/cordon/x:*"),
    Call("s3:PutInventoryConfiguration", VAULT),
    Call("sqs:AddPermission", f"arn:aws:sqs:eu-west-1:{A}:cordon-new-vpc"),
    # a grant without the key that tells who asks
    Call("kms:CreateGrant", KEY, KIT),
    # the kit's tags, put on or taken off anything
    Call("ec2:CreateTags", INSTANCE, context=keys("cordon:status")),
    Call("ec2:DeleteTags", INSTANCE, context=keys("Name", "cordon:case")),
    Call("ec2:CreateTags", ec2("vpc"), context=keys("cordon:ignore")),
    # every tag of a prepared group at once: such a call names no key
    Call("ec2:DeleteTags", GROUP, KIT),
    # prepared groups and networks
    Call("ec2:AuthorizeSecurityGroupIngress", GROUP, KIT),
    Call("ec2:AuthorizeSecurityGroupEgress", GROUP, KIT),
    Call("ec2:RevokeSecurityGroupIngress", GROUP, KIT),
    Call("ec2:ModifySecurityGroupRules", GROUP, KIT),
    Call("ec2:UpdateSecurityGroupRuleDescriptionsIngress", GROUP, KIT),
    Call("ec2:DeleteSecurityGroup", GROUP, KIT),
    Call("ec2:DeleteVpc", ec2("vpc"), KIT),
    Call("ec2:DeleteSubnet", ec2("subnet"), KIT),
    Call("ec2:DeleteVpcEndpoints", ec2("vpc-endpoint"), KIT),
    Call("ec2:ModifyVpcEndpoint", ec2("vpc-endpoint"), KIT),
    Call("ec2:DeleteFlowLogs", ec2("vpc-flow-log"), KIT),
    Call("ec2:AttachInternetGateway", ec2("vpc"), KIT),
    Call("ec2:CreateRoute", ec2("route-table"), KIT),
    Call("ec2:ReplaceRoute", ec2("route-table"), KIT),
    Call("ec2:CreateVpcPeeringConnection", ec2("vpc"), KIT),
    Call("ec2:RunInstances", ec2("subnet"), KIT),
    # the group that allows everything, on somebody's own machine
    Call("ec2:ModifyNetworkInterfaceAttribute", GROUP, KIT),
    # roles
    Call("iam:CreateRole", KIT_ROLE),
    Call("iam:DeleteRole", KIT_ROLE),
    Call("iam:UpdateAssumeRolePolicy", KIT_ROLE),
    Call("iam:AttachRolePolicy", KIT_ROLE),
    Call("iam:DetachRolePolicy", KIT_ROLE),
    Call("iam:PutRolePolicy", KIT_ROLE),
    Call("iam:DeleteRolePermissionsBoundary", iam("role/cordon/cordon-isolated-dark")),
    Call("iam:TagRole", KIT_ROLE),
    Call("iam:PassRole", iam("role/cordon/cordon-workstation")),
    Call("iam:CreatePolicyVersion", iam("policy/cordon/cordon-responder-1")),
    Call("iam:SetDefaultPolicyVersion", iam("policy/cordon/cordon-responder-1")),
    Call("iam:DeletePolicy", iam("policy/cordon/cordon-responder-1")),
    Call("iam:AddRoleToInstanceProfile", iam("instance-profile/cordon/cordon-isolated-dark")),
    Call("iam:RemoveRoleFromInstanceProfile", iam("instance-profile/cordon/cordon-workstation")),
    # the roles that are exempt must not be there for the taking
    Call("iam:CreateRole", BUILDER),
    Call("iam:UpdateAssumeRolePolicy", iam("role/deploy/pulumi", "222233334444")),
    # documents and the manifest
    Call("ssm:UpdateDocument", DOCUMENT),
    Call("ssm:UpdateDocumentDefaultVersion", DOCUMENT),
    Call("ssm:DeleteDocument", DOCUMENT),
    Call("ssm:CreateDocument", DOCUMENT),
    Call("ssm:ModifyDocumentPermission", DOCUMENT),
    Call("ssm:RemoveTagsFromResource", DOCUMENT),
    Call("ssm:PutParameter", MANIFEST),
    Call("ssm:DeleteParameter", MANIFEST),
    Call("ssm:DeleteParameters", MANIFEST),
    # keys
    Call("kms:ScheduleKeyDeletion", KEY, KIT),
    Call("kms:DisableKey", KEY, KIT),
    Call("kms:DisableKeyRotation", KEY, KIT),
    Call("kms:PutKeyPolicy", KEY, KIT),
    Call("kms:UntagResource", KEY, KIT),
    Call("kms:CreateGrant", KEY, KIT, {"kms:GrantIsForAWSResource": "false"}),
    Call("kms:RevokeGrant", KEY, KIT, {"kms:GrantIsForAWSResource": "false"}),
    Call("kms:DeleteAlias", f"arn:aws:kms:eu-west-1:{A}:alias/cordon-evidence"),
    Call("kms:UpdateAlias", f"arn:aws:kms:eu-west-1:{A}:alias/cordon-evidence"),
    # the vault and its logs
    Call("s3:DeleteBucket", VAULT),
    Call("s3:DeleteBucketPolicy", VAULT),
    Call("s3:PutBucketPolicy", VAULT),
    Call("s3:PutBucketObjectLockConfiguration", VAULT),
    Call("s3:PutBucketVersioning", VAULT),
    Call("s3:PutBucketLogging", VAULT),
    Call("s3:PutBucketPublicAccessBlock", VAULT),
    Call("s3:PutLifecycleConfiguration", VAULT),
    Call("s3:PutEncryptionConfiguration", VAULT),
    Call("s3:PutReplicationConfiguration", VAULT),
    Call("s3:DeleteBucket", "arn:aws:s3:::cordon-logs-111122223333-eu-west-1"),
    # flow logs, and the watch for new VPCs
    Call("logs:DeleteLogGroup", f"arn:aws:logs:eu-west-1:{A}:log-group:/cordon/forensic-vpc-1:*"),
    Call("logs:DeleteLogStream", f"arn:aws:logs:eu-west-1:{A}:log-group:/cordon/x:log-stream:y"),
    Call("logs:PutRetentionPolicy", f"arn:aws:logs:eu-west-1:{A}:log-group:/cordon/x:*"),
    Call("events:DisableRule", f"arn:aws:events:eu-west-1:{A}:rule/cordon-new-vpc"),
    Call("events:RemoveTargets", f"arn:aws:events:eu-west-1:{A}:rule/cordon-new-vpc"),
    Call("events:PutRule", f"arn:aws:events:eu-west-1:{A}:rule/cordon-new-vpc"),
    Call("sqs:SetQueueAttributes", f"arn:aws:sqs:eu-west-1:{A}:cordon-new-vpc"),
    Call("sns:DeleteTopic", f"arn:aws:sns:eu-west-1:{A}:cordon-new-vpc"),
]
"""Nobody but the kit's roles and the provisioner may do these."""

INCIDENT = [
    Call("ec2:TerminateInstances", INSTANCE, MARKED),
    Call("ec2:StartInstances", INSTANCE, MARKED),
    Call("ec2:StopInstances", INSTANCE, MARKED),
    Call("ec2:RebootInstances", INSTANCE, MARKED),
    Call("ec2:ModifyInstanceAttribute", INSTANCE, MARKED),
    Call("ec2:ModifyInstanceMetadataOptions", INSTANCE, MARKED),
    Call("ec2:ModifyNetworkInterfaceAttribute", ENI, MARKED),
    Call("ec2:ResetNetworkInterfaceAttribute", ENI, MARKED),
    Call("ec2:AttachNetworkInterface", INSTANCE, MARKED),
    Call("ec2:DetachNetworkInterface", ENI, MARKED),
    Call("ec2:DeleteNetworkInterface", ENI, MARKED),
    Call("ec2:AssignPrivateIpAddresses", ENI, MARKED),
    Call("ec2:UnassignIpv6Addresses", ENI, MARKED),
    Call("ec2:AssociateAddress", INSTANCE, MARKED),
    Call("ec2:AssociateIamInstanceProfile", INSTANCE, MARKED),
    Call("ec2:DisassociateIamInstanceProfile", INSTANCE, MARKED),
    Call("ec2:ReplaceIamInstanceProfileAssociation", INSTANCE, MARKED),
    Call("ec2:CreateImage", INSTANCE, MARKED),
    Call("ec2:CreateReplaceRootVolumeTask", INSTANCE, MARKED),
    Call("ec2:CreateTags", INSTANCE, MARKED, keys("Environment")),
    # all tags at once: such a call names no key
    Call("ec2:DeleteTags", INSTANCE, MARKED),
    Call("ec2:DetachVolume", VOLUME, MARKED),
    Call("ec2:DeleteVolume", VOLUME, MARKED),
    Call("ec2:ModifyVolume", VOLUME, MARKED),
    Call("ec2:SendDiagnosticInterrupt", INSTANCE, MARKED),
    Call("ec2:CreateSnapshots", INSTANCE, MARKED),
    Call("autoscaling:StartInstanceRefresh", GROUP_OF_INSTANCES, MARKED),
    Call("autoscaling:TerminateInstanceInAutoScalingGroup", GROUP_OF_INSTANCES, MARKED),
    Call("autoscaling:DeleteAutoScalingGroup", GROUP_OF_INSTANCES, MARKED),
    Call("ec2:CreateVolume", SNAPSHOT, EVIDENCE),
    Call("ebs:GetSnapshotBlock", SNAPSHOT, EVIDENCE),
    Call("iam:DetachUserPolicy", iam("user/bob"), context=DENIES),
    Call("iam:DetachRolePolicy", iam("role/app"), context=DENIES),
    Call("ec2:DeleteSnapshot", SNAPSHOT, EVIDENCE),
    Call("ec2:ModifySnapshotAttribute", SNAPSHOT, EVIDENCE),
    Call("ec2:ModifySnapshotTier", SNAPSHOT, EVIDENCE),
    Call("ec2:ResetSnapshotAttribute", SNAPSHOT, EVIDENCE),
    Call("ec2:UnlockSnapshot", SNAPSHOT, EVIDENCE),
    Call("ec2:LockSnapshot", SNAPSHOT, EVIDENCE),
    # a copy carries no tags, and could be shared
    Call("ec2:CopySnapshot", SNAPSHOT, EVIDENCE),
    Call("ec2:DeleteTags", SNAPSHOT, EVIDENCE),
    Call("s3:DeleteObject", f"{VAULT}/cases/IR-7/run/evidence/x"),
    Call("s3:DeleteObjectVersion", f"{VAULT}/cases/IR-7/run/evidence/x"),
    Call("s3:BypassGovernanceRetention", f"{VAULT}/cases/IR-7/run/evidence/x"),
    Call("s3:PutObjectRetention", f"{VAULT}/cases/IR-7/run/evidence/x"),
    Call("s3:PutObjectLegalHold", f"{VAULT}/cases/IR-7/run/evidence/x"),
]
"""Nobody but the responder and break-glass may do these; the provisioner may not, either."""

ENTERING = [
    Call(action, INSTANCE, tags)
    for tags in (MARKED, EVIDENCE)
    for action in (
        "ssm:SendCommand",
        "ssm:StartSession",
        "ssm:CreateAssociation",
        "ssm:StartAutomationExecution",
        "ec2-instance-connect:SendSSHPublicKey",
        "ec2-instance-connect:SendSerialConsoleSSHPublicKey",
    )
]
"""Of a quarantined instance, or a workstation: responders, and analysts as their role allows."""
WRITING = [Call("s3:PutObject", f"{VAULT}/cases/IR-7/run/evidence/x")]
"""The kit's roles only, workstations and isolated instances among them."""

ORDINARY = [
    Call("iam:CreateAccessKey", iam("user/bob")),
    Call("autoscaling:StartInstanceRefresh", GROUP_OF_INSTANCES, {"Name": "web"}),
    Call("ec2:CreateVolume", SNAPSHOT, {"Name": "backup"}),
    Call("ebs:GetSnapshotBlock", SNAPSHOT),
    Call("iam:DetachUserPolicy", iam("user/bob"), context={"iam:PolicyARN": iam("policy/app")}),
    Call("ec2:RunInstances", INSTANCE),
    Call("ec2:RunInstances", ec2("subnet"), {"Name": "app"}),
    Call("ec2:TerminateInstances", INSTANCE, {"Name": "app"}),
    Call("ec2:TerminateInstances", INSTANCE, {"cordon:status": "released"}),
    Call("ec2:StopInstances", INSTANCE),
    Call("ec2:ModifyInstanceAttribute", INSTANCE),
    Call("ec2:CreateTags", INSTANCE, {"Name": "app"}, keys("Name", "Environment")),
    Call("ec2:DeleteTags", INSTANCE, {"Name": "app"}, keys("Name")),
    Call("ec2:AuthorizeSecurityGroupIngress", GROUP, {"Name": "web"}),
    Call("ec2:DeleteSecurityGroup", GROUP),
    Call("ec2:DeleteSnapshot", SNAPSHOT, {"Name": "backup"}),
    Call("ec2:CreateVpc", ec2("vpc")),
    Call("ec2:DeleteVpc", ec2("vpc")),
    Call("ec2:DescribeSecurityGroups", "*"),
    Call("ec2:DescribeInstances", INSTANCE, MARKED),
    Call("ec2:GetConsoleOutput", INSTANCE, MARKED),
    Call("iam:CreateRole", iam("role/app")),
    Call("iam:PutRolePolicy", iam("role/app")),
    Call("iam:PassRole", iam("role/app")),
    Call("iam:GetRole", KIT_ROLE),
    Call("sts:AssumeRole", KIT_ROLE),
    Call("ssm:SendCommand", INSTANCE),
    Call("ssm:SendCommand", DOCUMENT),
    Call("ssm:GetParameter", MANIFEST),
    Call("ssm:PutParameter", f"arn:aws:ssm:eu-west-1:{A}:parameter/app/x"),
    Call("ssm:CreateDocument", f"arn:aws:ssm:eu-west-1:{A}:document/app"),
    Call("kms:ScheduleKeyDeletion", KEY, {"Name": "app"}),
    Call("kms:Decrypt", KEY, KIT),
    Call("kms:GenerateDataKey", KEY, KIT),
    # EC2 gets its grant for a volume under the kit's key, when that is the default of a region
    Call("kms:CreateGrant", KEY, KIT, {"kms:GrantIsForAWSResource": "true"}),
    Call("s3:GetObject", f"{VAULT}/cases/IR-7/run/evidence/x"),
    Call("s3:DeleteBucket", "arn:aws:s3:::app-bucket"),
    Call("s3:DeleteObject", "arn:aws:s3:::app-bucket/x"),
    Call("sqs:DeleteMessage", f"arn:aws:sqs:eu-west-1:{A}:cordon-new-vpc"),
    Call("logs:PutLogEvents", f"arn:aws:logs:eu-west-1:{A}:log-group:/cordon/x:log-stream:y"),
    Call("logs:DeleteLogGroup", f"arn:aws:logs:eu-west-1:{A}:log-group:/app:*"),
]
"""Everybody may do these, as far as the guardrails go."""


def denied(policy: str, who: str, call: Call, scope: Scope = SCOPE) -> bool:
    context: dict[str, Any] = {
        "aws:PrincipalArn": who,
        "aws:PrincipalOrgID": ORGANIZATION,
        **{f"aws:ResourceTag/{key}": value for key, value in call.tags.items()},
        **call.context,
    }
    found = json.loads(content(policy, scope))["Statement"]
    return denied_by(found, Asked(call.action, (call.resource,), (who,), context)) is not None


def stopped(who: str, call: Call) -> bool:
    """Whether one of the policies that are attached denies it."""
    return any(denied(policy, who, call) for policy in ENFORCED)


@pytest.mark.parametrize("call", PREPARATION, ids=str)
def test_what_is_prepared_is_changed_by_its_builders_only(call: Call) -> None:
    assert [who for who in OTHERS if not stopped(who, call)] == []
    assert [who for who in (RESPONDER, BREAK_GLASS, BUILDER) if stopped(who, call)] == []


def test_people_who_are_guarded_renew_their_own_keys() -> None:
    assert not stopped(PERSON, Call("iam:CreateAccessKey", PERSON))


@pytest.mark.parametrize("call", INCIDENT, ids=str)
def test_what_is_marked_is_touched_by_responders_only(call: Call) -> None:
    assert [who for who in (*OTHERS, BUILDER) if not stopped(who, call)] == []
    assert [who for who in (RESPONDER, BREAK_GLASS) if stopped(who, call)] == []


@pytest.mark.parametrize("call", ENTERING, ids=str)
def test_responders_and_analysts_enter_and_nobody_else(call: Call) -> None:
    others = [who for who in (*OTHERS, BUILDER) if who != ANALYST]
    assert [who for who in others if not stopped(who, call)] == []
    assert [who for who in (RESPONDER, BREAK_GLASS, ANALYST) if stopped(who, call)] == []


@pytest.mark.parametrize("call", WRITING, ids=str)
def test_the_vault_is_written_by_the_kits_roles(call: Call) -> None:
    kits = (RESPONDER, BREAK_GLASS, ANALYST, iam("role/cordon/cordon-workstation"))
    assert [who for who in kits if stopped(who, call)] == []
    assert [who for who in (ADMIN, ROOT, NAMESAKE, BUILDER) if not stopped(who, call)] == []


@pytest.mark.parametrize("call", ORDINARY, ids=str)
def test_ordinary_work_is_not_hindered(call: Call) -> None:
    everybody = (*OTHERS, RESPONDER, BREAK_GLASS, BUILDER)
    assert [who for who in everybody if stopped(who, call)] == []


def test_nobody_leaves_the_organization() -> None:
    leave = Call("organizations:LeaveOrganization", "*")
    for who in (*OTHERS, RESPONDER, BUILDER):
        assert stopped(who, leave)


def test_responders_of_every_account_are_exempt_and_no_other_path_is() -> None:
    elsewhere = iam("role/cordon/cordon-responder", "999988887777")
    assert not stopped(elsewhere, INCIDENT[0])
    for who in (
        iam("role/x/cordon/cordon-responder"),
        iam("role/cordon/cordon-responder-2"),
        iam("user/cordon/cordon-responder"),
    ):
        assert stopped(who, INCIDENT[0]), who


def test_without_provisioners_only_the_kits_roles_build() -> None:
    alone = Scope("aws", ORGANIZATION)
    call = Call("ec2:AuthorizeSecurityGroupIngress", GROUP, KIT)
    assert denied("prepared", BUILDER, call, alone)
    assert not denied("prepared", RESPONDER, call, alone)
    sids = [s["Sid"] for s in json.loads(content("prepared", alone))["Statement"]]
    assert not {"Builders", "People"} & {*sids}


DESTRUCTION = [
    Call("s3:DeleteObject", "arn:aws:s3:::app-bucket/x"),
    Call("s3:DeleteObjectVersion", "arn:aws:s3:::app-bucket/x"),
    Call("s3:DeleteBucket", "arn:aws:s3:::app-bucket"),
    Call("s3:PutLifecycleConfiguration", "arn:aws:s3:::app-bucket"),
    Call("s3:PutBucketVersioning", "arn:aws:s3:::app-bucket"),
    Call("kms:ScheduleKeyDeletion", KEY),
    Call("kms:PutKeyPolicy", KEY),
    Call("kms:DeleteImportedKeyMaterial", KEY),
    Call("ec2:DeleteSnapshot", SNAPSHOT),
    Call("ec2:TerminateInstances", INSTANCE),
    Call("ec2:ModifySnapshotAttribute", SNAPSHOT),
    Call("backup:DeleteRecoveryPoint", "*"),
    Call("rds:DeleteDBInstance", "*"),
    Call("rds:DeleteDBClusterSnapshot", "*"),
    Call("rds:ModifyDBSnapshotAttribute", "*"),
    Call("dynamodb:DeleteTable", "*"),
    Call("dynamodb:UpdateContinuousBackups", "*"),
    Call("elasticfilesystem:DeleteFileSystem", "*"),
    Call("secretsmanager:DeleteSecret", "*"),
    Call("cloudtrail:StopLogging", "*"),
    Call("cloudtrail:DeleteTrail", "*"),
    Call("guardduty:DeleteDetector", "*"),
    Call("account:DisableRegion", "*"),
    Call("organizations:LeaveOrganization", "*"),
    # encrypted with a key that the attacker keeps: handed over, or of another organization
    Call(
        "s3:PutObject",
        "arn:aws:s3:::app-bucket/x",
        context={"s3:x-amz-server-side-encryption-customer-algorithm": "AES256"},
    ),
    Call("kms:GenerateDataKey", KEY, context={"aws:ResourceOrgID": "o-strangers1"}),
    Call("kms:ReEncryptTo", KEY),
]


@pytest.mark.parametrize("call", DESTRUCTION, ids=str)
def test_in_an_emergency_only_responders_destroy(call: Call) -> None:
    assert [who for who in (*OTHERS, BUILDER) if not denied("emergency", who, call)] == []
    assert [who for who in (RESPONDER, BREAK_GLASS) if denied("emergency", who, call)] == []


@pytest.mark.parametrize(
    "call",
    [
        Call("s3:PutObject", "arn:aws:s3:::app-bucket/x"),
        Call("s3:GetObject", "arn:aws:s3:::app-bucket/x"),
        Call("kms:GenerateDataKey", KEY, context={"aws:ResourceOrgID": ORGANIZATION}),
        Call("kms:Decrypt", KEY),
        Call("ec2:RunInstances", INSTANCE),
        Call("ec2:StopInstances", INSTANCE),
        Call("dynamodb:PutItem", "*"),
        Call("iam:UpdateAccessKey", iam("user/alice")),
    ],
    ids=str,
)
def test_in_an_emergency_work_goes_on(call: Call) -> None:
    assert [who for who in (*OTHERS, BUILDER) if denied("emergency", who, call)] == []


@pytest.mark.parametrize(("policy", "partition"), product(POLICIES, PARTITIONS))
def test_policies_are_compact_denials_within_the_limit(policy: str, partition: str) -> None:
    pattern = f"arn:{partition}:iam::*:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_Pla_*"
    text = content(policy, Scope(partition, ORGANIZATION, (pattern, pattern + "2")))
    assert len(text) <= SCP_LIMIT
    assert json.dumps(json.loads(text), separators=(",", ":")) == text
    statements = json.loads(text)["Statement"]
    assert {s["Effect"] for s in statements} == {"Deny"}
    assert len({s["Sid"] for s in statements}) == len(statements)
    assert all(s["Sid"].isalnum() for s in statements)
    assert {part.split(":")[1] for part in text.split('"') if part.startswith("arn:")} <= {
        partition
    }


def test_too_many_provisioners_are_an_error_that_says_what_to_do() -> None:
    many = tuple(f"arn:aws:iam::{n:012d}:role/deploy/pulumi" for n in range(40))
    with pytest.raises(ValueError, match=f"over {SCP_LIMIT}; name fewer provisioners"):
        content("prepared", Scope("aws", ORGANIZATION, many))


PROGRAM = """
import pulumi
from components.guardrails import Guardrails, GuardrailsArgs, Scope
builders, people = ("arn:aws:iam::*:role/deploy/pulumi",), ("arn:aws:iam::*:user/alice",)
scope = Scope("aws", "o-exampleorg1", builders, people)
made = Guardrails("guards", GuardrailsArgs(scope, ["r-exam", "111122223333"], {"Team": "x"}))
pulumi.export("ids", made.policy_ids)
"""
POLICY = "aws:organizations/policy:Policy"
ATTACHMENT = "aws:organizations/policyAttachment:PolicyAttachment"


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Program:
    return declare(tmp_path_factory.mktemp("program"), PROGRAM)


def test_each_policy_is_declared_with_its_content(program: Program) -> None:
    declared = {r.inputs["name"]: r.inputs for r in program.of_type(POLICY)}
    assert set(declared) == {f"cordon-{policy}" for policy in POLICIES}
    for policy in POLICIES:
        inputs = declared[f"cordon-{policy}"]
        assert inputs["type"] == "SERVICE_CONTROL_POLICY"
        assert inputs["content"] == content(policy, SCOPE)
        assert inputs["tags"] == kit_tags(Purpose.GUARDRAIL, {"Team": "x"})


def test_all_but_the_emergency_are_attached_to_every_target(program: Program) -> None:
    ids = program.exports["ids"]
    attached = {(r.inputs["policyId"], r.inputs["targetId"]) for r in program.of_type(ATTACHMENT)}
    enforced = [policy for policy in POLICIES if policy not in DETACHED]
    assert attached == {(ids[p], t) for p in enforced for t in ("r-exam", "111122223333")}
    assert ids["emergency"]
    # FullAWSAccess is one of the five, and the organization has policies of its own.
    assert len(enforced) + 2 <= POLICIES_PER_TARGET
