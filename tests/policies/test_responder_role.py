"""What the generated responder role allows, judged as IAM judges it: enough, and not itself.

The statements are those of the account stack's registrations; they come from what the responders'
actions declare. Escalation paths after the known list of IAM privilege escalations (Rhino Security
Labs, 2018, and later additions), and after what protects evidence.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import pytest

from contract import (
    IAM_PATH,
    MANIFEST_PARAMETER,
    RESPONDER_ROLE,
    TAG_KIT,
    TAG_PURPOSE,
    TAG_STATUS,
    VERSION,
    Purpose,
    Status,
    deny_policy_name,
    vault_bucket,
)
from lab import record
from lab.iam_actions import ACTIONS
from lab.policy import Asked, allowed_by, denied_by
from policies.access import permission_faults

ACCOUNT, REGION = "111122223333", "eu-west-1"
IAM = f"arn:aws:iam::{ACCOUNT}"
EC2 = f"arn:aws:ec2:{REGION}:{ACCOUNT}"
SNAPSHOT = f"arn:aws:ec2:{REGION}::snapshot/snap-1"
KEY = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1"
ITSELF = f"{IAM}:role{IAM_PATH}{RESPONDER_ROLE}"
ITS_POLICY = f"{IAM}:policy{IAM_PATH}{RESPONDER_ROLE}-1"
VAULT = f"arn:aws:s3:::{vault_bucket(ACCOUNT, REGION)}"
OBJECT = f"{VAULT}/cases/IR-7/r/evidence/x"
KITS = {f"aws:ResourceTag/{TAG_KIT}": VERSION, f"aws:ResourceTag/{TAG_PURPOSE}": Purpose.ROLE.value}
EVIDENCE = {f"aws:ResourceTag/{TAG_STATUS}": Status.EVIDENCE.value}


@cache
def registrations() -> Mapping[str, Sequence[Any]]:
    """The account stack's resources, by type."""
    found: dict[str, list[Any]] = {}
    for one in record.run("account").registrations:
        found.setdefault(one.type, []).append(one)
    return found


@cache
def statements() -> tuple[Mapping[str, Any], ...]:
    """All statements that the responder role holds: its managed policies, and inline ones."""
    policies = registrations()["aws:iam/policy:Policy"]
    held = [one for one in policies if one.name.startswith("responder-")]
    inline = [
        one
        for one in registrations().get("aws:iam/rolePolicy:RolePolicy", ())
        if one.name.startswith("responder-")
    ]
    assert held
    documents = [json.loads(one.inputs["policy"]) for one in (*held, *inline)]
    return tuple(one for document in documents for one in document["Statement"])


def allows(action: str, resource: str = "*", context: Mapping[str, str] | None = None) -> bool:
    """Whether the role may do this, no other policy being in the way."""
    asked = Asked(action, (resource,), context=context or {})
    return bool(allowed_by(statements(), asked)) and not denied_by(statements(), asked)


def actions() -> set[str]:
    """All actions that the role's statements name."""
    named = (one["Action"] for one in statements() if one["Effect"] == "Allow")
    return {one for some in named for one in ([some] if isinstance(some, str) else some)}


# --- nobody holding it can widen it ---------------------------------------------------------------

WIDENING = [
    ("iam:PutRolePolicy", ITSELF, KITS),
    ("iam:DeleteRolePolicy", ITSELF, KITS),
    ("iam:AttachRolePolicy", ITSELF, {**KITS, "iam:PolicyARN": "arn:aws:iam::aws:policy/X"}),
    (
        "iam:AttachRolePolicy",
        ITSELF,
        {**KITS, "iam:PolicyARN": f"{IAM}:policy{IAM_PATH}{deny_policy_name('IR-7')}"},
    ),
    ("iam:DetachRolePolicy", ITSELF, {**KITS, "iam:PolicyARN": ITS_POLICY}),
    ("iam:UpdateAssumeRolePolicy", ITSELF, KITS),
    ("iam:PutRolePermissionsBoundary", ITSELF, KITS),
    ("iam:DeleteRolePermissionsBoundary", ITSELF, KITS),
    ("iam:UpdateRole", ITSELF, KITS),
    ("iam:TagRole", ITSELF, KITS),
    ("iam:UntagRole", ITSELF, KITS),
    ("iam:DeleteRole", ITSELF, KITS),
    ("iam:CreatePolicyVersion", ITS_POLICY, {}),
    ("iam:SetDefaultPolicyVersion", ITS_POLICY, {}),
    ("iam:DeletePolicyVersion", ITS_POLICY, {}),
    ("iam:DeletePolicy", ITS_POLICY, {}),
]


@pytest.mark.parametrize(("action", "resource", "context"), WIDENING)
def test_it_cannot_widen_itself(action: str, resource: str, context: dict[str, str]) -> None:
    assert not allows(action, resource, context)


def test_every_role_of_the_kit_carries_the_tag_that_keeps_it_from_the_responder() -> None:
    roles = registrations()["aws:iam/role:Role"]
    kits = [one for one in roles if one.inputs.get("path") == IAM_PATH]
    assert f"{RESPONDER_ROLE}" in {one.inputs["name"] for one in kits}
    assert {one.inputs["tags"][TAG_PURPOSE] for one in kits} == {Purpose.ROLE.value}


ESCALATING = [
    "iam:CreateAccessKey",
    "iam:CreateLoginProfile",
    "iam:UpdateLoginProfile",
    "iam:AddUserToGroup",
    "iam:CreateUser",
    "iam:CreateRole",
    "iam:PutGroupPolicy",
    "iam:AttachGroupPolicy",
    "iam:SetDefaultPolicyVersion",
    "iam:UpdateAssumeRolePolicy",
    "iam:CreateServiceSpecificCredential",
    "iam:CreateVirtualMFADevice",
    "iam:EnableMFADevice",
    "iam:DeactivateMFADevice",
    "iam:CreateSAMLProvider",
    "iam:UpdateSAMLProvider",
    "iam:CreateOpenIDConnectProvider",
    "iam:PutUserPermissionsBoundary",
    "iam:DeleteUserPermissionsBoundary",
    "iam:DeleteRolePermissionsBoundary",
    "sts:AssumeRole",
    "sts:GetFederationToken",
    "lambda:CreateFunction",
    "lambda:UpdateFunctionCode",
    "lambda:UpdateFunctionConfiguration",
    "lambda:AddPermission",
    "glue:CreateDevEndpoint",
    "cloudformation:CreateStack",
    "cloudformation:UpdateStack",
    "datapipeline:PutPipelineDefinition",
    "codebuild:CreateProject",
    "codebuild:UpdateProject",
    "sagemaker:CreateNotebookInstance",
    "sagemaker:CreatePresignedNotebookInstanceUrl",
    "ecs:RegisterTaskDefinition",
    "ecs:RunTask",
    "ecs:ExecuteCommand",
    "batch:SubmitJob",
    "states:CreateStateMachine",
    "events:PutTargets",
    "autoscaling:CreateLaunchConfiguration",
    "autoscaling:CreateAutoScalingGroup",
    "ec2:CreateLaunchTemplateVersion",
    "ec2:SendSSHPublicKey",
    "ec2-instance-connect:SendSSHPublicKey",
    "ssm:StartSession",
    "ssm:ResumeSession",
    "ssm:CreateDocument",
    "ssm:UpdateDocument",
    "ssm:UpdateDocumentDefaultVersion",
    "ssm:CreateAssociation",
    "ssm:StartAutomationExecution",
    "organizations:DetachPolicy",
    "organizations:UpdatePolicy",
    "organizations:LeaveOrganization",
]


@pytest.mark.parametrize("action", ESCALATING)
def test_it_knows_no_other_way_up(action: str) -> None:
    assert not allows(action)


def test_a_profile_is_passed_only_to_instances_and_only_the_kits() -> None:
    """A role that may be passed is a role that may be had."""
    ec2 = {"iam:PassedToService": "ec2.amazonaws.com"}
    assert not allows("iam:PassRole", f"{IAM}:role/Admin", ec2)
    kits = f"{IAM}:role{IAM_PATH}cordon-workstation"
    assert not allows("iam:PassRole", kits, {"iam:PassedToService": "lambda.amazonaws.com"})
    assert not allows("iam:PassRole", ITSELF, {"iam:PassedToService": "lambda.amazonaws.com"})


def test_commands_are_only_the_kits_documents() -> None:
    assert not allows("ssm:SendCommand", f"arn:aws:ssm:{REGION}::document/AWS-RunShellScript")
    theirs = f"arn:aws:ssm:{REGION}:{ACCOUNT}:document/theirs"
    assert not allows("ssm:SendCommand", theirs)


def test_what_could_be_abused_says_so() -> None:
    """Rights that reach beyond the kit's own things are declared with the risk that they are."""
    from responders.permissions import declared

    powerful = {"iam:PutUserPolicy", "iam:PutRolePolicy", "iam:AttachUserPolicy"}
    powerful |= {"iam:AttachRolePolicy", "iam:CreatePolicy", "ec2:ModifyInstanceAttribute"}
    powerful |= {"iam:DeleteAccessKey", "iam:UpdateAccessKey", "ssm:SendCommand"}
    told = {action for one in declared() if one.risk for action in one.actions}
    assert powerful & actions() <= told
    assert powerful & actions()


# --- nor read secrets -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("secretsmanager:GetSecretValue", "*"),
        ("secretsmanager:BatchGetSecretValue", "*"),
        ("ssm:GetParameter", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/app/password"),
        ("ssm:GetParameters", "*"),
        ("ssm:GetParametersByPath", "*"),
        ("ssm:GetParameterHistory", "*"),
        ("ec2:GetPasswordData", "*"),
        ("s3:GetObject", "arn:aws:s3:::customer-data/secrets.txt"),
        ("s3:GetObjectVersion", "arn:aws:s3:::customer-data/secrets.txt"),
        ("dynamodb:GetItem", "*"),
        ("rds-db:connect", "*"),
        ("ebs:GetSnapshotBlock", SNAPSHOT),
        ("lambda:GetFunction", "*"),
        ("ecr:GetAuthorizationToken", "*"),
        ("kms:Decrypt", KEY),
        ("kms:ReEncryptFrom", KEY),
        ("kms:GenerateDataKey", f"arn:aws:kms:{REGION}:{ACCOUNT}:key/other"),
    ],
)
def test_it_reads_no_secrets(action: str, resource: str) -> None:
    assert not allows(action, resource)


def test_it_reads_the_manifest_and_its_own_cases() -> None:
    parameter = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter{MANIFEST_PARAMETER}"
    assert allows("ssm:GetParameter", parameter)
    assert allows("s3:PutObject", OBJECT)


# --- nor unlock evidence --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("action", "resource", "context"),
    [
        ("s3:BypassGovernanceRetention", OBJECT, {}),
        ("s3:DeleteObject", OBJECT, {}),
        ("s3:DeleteObjectVersion", OBJECT, {}),
        ("s3:PutObjectRetention", OBJECT, {}),
        ("s3:PutObjectLegalHold", OBJECT, {}),
        ("s3:PutBucketPolicy", VAULT, {}),
        ("s3:DeleteBucketPolicy", VAULT, {}),
        ("s3:PutBucketVersioning", VAULT, {}),
        ("s3:PutBucketObjectLockConfiguration", VAULT, {}),
        ("s3:PutLifecycleConfiguration", VAULT, {}),
        ("s3:PutEncryptionConfiguration", VAULT, {}),
        ("s3:PutBucketPublicAccessBlock", VAULT, {}),
        ("s3:PutReplicationConfiguration", VAULT, {}),
        ("s3:DeleteBucket", VAULT, {}),
        ("ec2:UnlockSnapshot", SNAPSHOT, EVIDENCE),
        ("ec2:DeleteSnapshot", SNAPSHOT, EVIDENCE),
        ("ec2:ModifySnapshotTier", SNAPSHOT, EVIDENCE),
        ("ec2:DeleteTags", SNAPSHOT, EVIDENCE),
        ("ec2:ModifySnapshotAttribute", SNAPSHOT, {}),
        ("ec2:ModifySnapshotAttribute", SNAPSHOT, {**EVIDENCE, "ec2:Add/group": "all"}),
        ("ec2:DisableSnapshotBlockPublicAccess", "*", {}),
        ("kms:ScheduleKeyDeletion", KEY, {}),
        ("kms:DisableKey", KEY, {}),
        ("kms:DisableKeyRotation", KEY, {}),
        ("kms:PutKeyPolicy", KEY, {}),
        ("kms:RevokeGrant", KEY, {}),
        ("kms:RetireGrant", KEY, {}),
        ("kms:DeleteAlias", KEY, {}),
        ("kms:UpdateAlias", KEY, {}),
        ("kms:CreateGrant", KEY, {"kms:GrantIsForAWSResource": "false"}),
        ("cloudtrail:StopLogging", "*", {}),
        ("cloudtrail:DeleteTrail", "*", {}),
        ("cloudtrail:UpdateTrail", "*", {}),
        ("cloudtrail:PutEventSelectors", "*", {}),
        ("logs:DeleteLogGroup", "*", {}),
        ("ec2:DeleteFlowLogs", "*", {}),
        ("ec2:TerminateInstances", f"{EC2}:instance/i-1", {}),
        ("ec2:DeleteVolume", f"{EC2}:volume/vol-1", {}),
        ("ssm:PutParameter", f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter{MANIFEST_PARAMETER}", {}),
    ],
)
def test_it_cannot_unlock_or_destroy_evidence(
    action: str, resource: str, context: dict[str, str]
) -> None:
    assert not allows(action, resource, context)


# --- and it has what calls need besides their own action ------------------------------------------

VIA_EC2 = {"kms:ViaService": f"ec2.{REGION}.amazonaws.com"}
GRANT = {**VIA_EC2, "kms:GrantIsForAWSResource": "true"}
PASSED = {"iam:PassedToService": "ec2.amazonaws.com"}
OURS = f"{IAM}:role{IAM_PATH}"

IMPLICIT = [
    # Copying a snapshot under the kit's key (EBS user guide, "Required permissions for IAM users").
    ("ec2:CopySnapshot", "kms:CreateGrant", KEY, GRANT),
    ("ec2:CopySnapshot", "kms:Decrypt", KEY, VIA_EC2),
    ("ec2:CopySnapshot", "kms:DescribeKey", KEY, VIA_EC2),
    ("ec2:CopySnapshot", "kms:GenerateDataKeyWithoutPlaintext", KEY, VIA_EC2),
    ("ec2:CopySnapshot", "kms:ReEncryptFrom", KEY, VIA_EC2),
    ("ec2:CopySnapshot", "kms:ReEncryptTo", KEY, VIA_EC2),
    # A set of snapshots is made of an instance and its volumes, and tagged as it is made.
    ("ec2:CreateSnapshots", "ec2:CreateSnapshots", f"{EC2}:instance/i-1", {}),
    ("ec2:CreateSnapshots", "ec2:CreateSnapshots", f"{EC2}:volume/vol-1", {}),
    (
        "ec2:CreateSnapshots",
        "ec2:CreateSnapshots",
        SNAPSHOT,
        {f"aws:RequestTag/{TAG_STATUS}": Status.EVIDENCE.value},
    ),
    ("ec2:CreateSnapshots", "ec2:CreateTags", SNAPSHOT, {"ec2:CreateAction": "CreateSnapshots"}),
    ("ec2:CopySnapshot", "ec2:CreateTags", SNAPSHOT, {"ec2:CreateAction": "CopySnapshot"}),
    # A group is made in a VPC, and tagged as it is made.
    ("ec2:CreateSecurityGroup", "ec2:CreateSecurityGroup", f"{EC2}:vpc/vpc-1", {}),
    (
        "ec2:CreateSecurityGroup",
        "ec2:CreateTags",
        f"{EC2}:security-group/sg-1",
        {"ec2:CreateAction": "CreateSecurityGroup"},
    ),
    # An interface is changed to a group: both are resources of the call.
    (
        "ec2:ModifyNetworkInterfaceAttribute",
        "ec2:ModifyNetworkInterfaceAttribute",
        f"{EC2}:security-group/sg-1",
        {},
    ),
    # A command is a document run on an instance.
    (
        "ssm:SendCommand",
        "ssm:SendCommand",
        f"arn:aws:ssm:{REGION}:{ACCOUNT}:document/cordon-memory",
        {},
    ),
    ("ssm:SendCommand", "ssm:SendCommand", f"{EC2}:instance/i-1", {}),
    # The vault is encrypted with the kit's key; parts of an upload are read back under it.
    ("s3:PutObject", "kms:GenerateDataKey", "the vault's key", {}),
    ("s3:PutObject", "kms:Decrypt", "the vault's key", {}),
    ("s3:GetObject", "kms:Decrypt", "the vault's key", {}),
    # Whoever gives an instance a profile passes its role.
    ("ec2:AssociateIamInstanceProfile", "iam:PassRole", f"{OURS}cordon-isolated-dark", PASSED),
    (
        "ec2:ReplaceIamInstanceProfileAssociation",
        "iam:PassRole",
        f"{OURS}cordon-isolated-dark",
        PASSED,
    ),
    ("ec2:RunInstances", "iam:PassRole", f"{OURS}cordon-workstation", PASSED),
]


def vault_key() -> str:
    """The ARN of the vault's key, as the role's own policy names it."""
    keys = registrations()["aws:kms/key:Key"]
    [arn] = [one.outputs["arn"] for one in keys if f":{REGION}:" in one.outputs["arn"]]
    return str(arn)


@pytest.mark.parametrize(("call", "needs", "on", "context"), IMPLICIT)
def test_what_a_call_needs_besides_itself_goes_with_it(
    call: str, needs: str, on: str, context: dict[str, str]
) -> None:
    """Both or neither: a need that is missing fails in an incident, one too many is a right."""
    resource = vault_key() if on == "the vault's key" else on
    if call in actions():
        assert allows(needs, resource, context)
    elif needs != call:
        assert not allows(needs, resource, context)


def test_most_implicit_needs_were_put_to_the_test() -> None:
    called = {call for call, *_ in IMPLICIT} & actions()
    assert {"ec2:CopySnapshot", "ec2:CreateSnapshots", "s3:PutObject", "ssm:SendCommand"} <= called


def test_no_action_is_named_by_the_call_where_iam_has_another_name() -> None:
    """`s3:HeadObject` is a call, and no action: a policy that names it allows nothing."""
    assert sorted(actions() & set(ACTIONS)) == []
    assert {"s3:GetObject", "s3:ListBucket"} <= actions()


def test_changes_are_never_allowed_on_everything() -> None:
    assert permission_faults({"Statement": list(statements())}) == ()
