"""Service control policies that keep what is prepared, and what is quarantined, as it is.

They bind every principal of the accounts below their targets, administrators and root users too,
but not the management account nor service-linked roles (Organizations user guide, "SCP effects on
permissions"). They allow nothing.

`prepared` guards the kit's groups, VPC, roles, documents, keys and buckets against all but the
kit's own roles and the provisioners. `quarantine` guards what an incident has marked against all
but the responder and break-glass. `emergency` is made and left detached: attach it when somebody
is destroying an account.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi

from components.iam import Statement
from components.organization_policy import OrganizationPolicyArgs, organization_policy
from contract import (
    ANALYST_ROLE,
    BREAK_GLASS_ROLE,
    IAM_PATH,
    KEY_ALIAS,
    LOG_GROUP_PATH,
    MANIFEST_PARAMETER,
    RESPONDER_ROLE,
    SCP_LIMIT,
    TAG_KIT,
    TAG_PREFIX,
    TAG_STATUS,
    VAULT_LOGS_PREFIX,
    VAULT_PREFIX,
    Document,
    Purpose,
    Status,
    deny_policy_name,
    kit_tags,
)

Condition = dict[str, Any]


@dataclass(frozen=True)
class Scope:
    """Where the guardrails hold and whom they exempt.

    `organization` is its id; `provisioners` are ARN patterns of the roles that run `pulumi up`.
    """

    partition: str
    organization: str
    provisioners: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    """ARN patterns of the users and roles, inside the accounts, that the kit's roles trust."""

    def arn(self, service: str, resource: str) -> str:
        """That resource in every region and account."""
        regional = "" if service in ("iam", "s3") else "*"
        account = "" if service == "s3" else "*"
        return f"arn:{self.partition}:{service}:{regional}:{account}:{resource}"

    @property
    def responders(self) -> list[str]:
        """The roles that respond, of every account."""
        return [
            self.arn("iam", f"role{IAM_PATH}{role}") for role in (RESPONDER_ROLE, BREAK_GLASS_ROLE)
        ]

    @property
    def kits_roles(self) -> list[str]:
        """All roles of the kit, of every account."""
        return [self.arn("iam", f"role{IAM_PATH}*")]

    @property
    def examiners(self) -> list[str]:
        """Who may enter a workstation."""
        return [*self.responders, self.arn("iam", f"role{IAM_PATH}{ANALYST_ROLE}")]

    @property
    def builders(self) -> list[str]:
        """Those, and the roles that prepare."""
        return [*self.responders, *self.provisioners]


def prepared(scope: Scope) -> list[Statement]:
    """Only the kit's roles and the provisioners may change what is prepared."""
    exempt = scope.builders
    kit_tagged = {"Null": {f"aws:ResourceTag/{TAG_KIT}": "false"}}
    return [
        _deny(
            "KitTags",
            ["ec2:CreateTags", "ec2:DeleteTags"],
            "*",
            exempt,
            {"ForAnyValue:StringLike": {"aws:TagKeys": f"{TAG_PREFIX}*"}},
        ),
        _deny(
            "KitTagged",
            [*_CHANGES_NETWORK, *_CHANGES_KEYS],
            "*",
            exempt,
            kit_tagged,
        ),
        # Not for AWS: whoever starts an instance with an encrypted volume grants the key to EC2.
        _deny(
            "KitKeyGrants",
            ["kms:CreateGrant", "kms:RevokeGrant"],
            "*",
            exempt,
            {**kit_tagged, "BoolIfExists": {"kms:GrantIsForAWSResource": "false"}},
        ),
        _deny("KitNamed", [*_CHANGES_IAM, *_CHANGES_NAMED], _named(scope), exempt),
        # An exempt role that an attacker may make, or let in whom they like, exempts the attacker.
        *(
            [_deny("Builders", _CHANGES_ROLES, scope.provisioners, exempt)]
            if scope.provisioners
            else []
        ),
        # Whoever makes a key for somebody that the responder role trusts, is a responder.
        *(
            [_deny("People", _BECOMES, scope.people, [*exempt, *scope.people])]
            if scope.people
            else []
        ),
        _deny("EbsDefaults", _CHANGES_EBS_DEFAULTS, "*", exempt),
        {
            "Sid": "Leave",
            "Effect": "Deny",
            "Action": "organizations:LeaveOrganization",
            "Resource": "*",
        },
    ]


def quarantine(scope: Scope) -> list[Statement]:
    """Only the responder and break-glass may touch what an incident has marked."""
    marks = [Status.QUARANTINED.value, Status.EVIDENCE.value]
    return [
        _deny(
            "Marked",
            [*_TOUCHES_EC2, *_TOUCHES_FLEETS, *_TOUCHES_IDENTITIES, *_READS_BLOCKS],
            "*",
            scope.responders,
            {"StringEquals": {f"aws:ResourceTag/{TAG_STATUS}": marks}},
        ),
        # The analyst's own policy lets it into workstations alone.
        _deny(
            "Entered",
            _ENTERS,
            "*",
            scope.examiners,
            {"StringEquals": {f"aws:ResourceTag/{TAG_STATUS}": marks}},
        ),
        # A deny policy that had no room inline is attached, and told by its name.
        _deny(
            "Denials",
            ["iam:DetachRolePolicy", "iam:DetachUserPolicy"],
            "*",
            scope.responders,
            {
                "ArnLike": {
                    "iam:PolicyARN": scope.arn("iam", f"policy{IAM_PATH}{deny_policy_name('*')}")
                }
            },
        ),
        # New versions hide evidence, though Object Lock keeps the ones before.
        _deny(
            "Written",
            ["s3:AbortMultipartUpload", "s3:PutObject"],
            scope.arn("s3", f"{VAULT_PREFIX}*/*"),
            scope.kits_roles,
        ),
        _deny(
            "Evidence",
            _TOUCHES_OBJECTS,
            [scope.arn("s3", f"{p}*/*") for p in (VAULT_PREFIX, VAULT_LOGS_PREFIX)],
            scope.responders,
        ),
    ]


def emergency(scope: Scope) -> list[Statement]:
    """Nobody but the responder and break-glass may destroy, hide or lock away data."""
    exempt = scope.responders
    foreign = {"StringNotEqualsIfExists": {"aws:ResourceOrgID": scope.organization}}
    customer = "s3:x-amz-server-side-encryption-customer-algorithm"
    return [
        _deny("Destroy", _DESTROYS, "*", exempt),
        _deny("Blind", _BLINDS, "*", exempt),
        # Encrypting with a key that the victim can't have: given by the caller, or of a stranger.
        _deny("CustomerKey", ["s3:PutObject"], "*", exempt, {"Null": {customer: "false"}}),
        _deny(
            "ForeignKey",
            ["kms:CreateGrant", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"],
            "*",
            exempt,
            foreign,
        ),
        _deny("Share", _SHARES, "*", exempt),
    ]


POLICIES: Mapping[str, Callable[[Scope], list[Statement]]] = {
    "prepared": prepared,
    "quarantine": quarantine,
    "emergency": emergency,
}
DETACHED = ("emergency",)
DESCRIPTIONS = {
    "prepared": "Cordon: only its own roles change what is prepared for incidents",
    "quarantine": "Cordon: only responders touch what is quarantined, and evidence",
    "emergency": "Cordon: attach while an account is being destroyed; detach afterwards",
}


@dataclass(frozen=True)
class GuardrailsArgs:
    """`targets`: roots, organizational units and accounts, by id. `after`: what has to be first."""

    scope: Scope
    targets: Sequence[str]
    tags: Mapping[str, str] = field(default_factory=dict)
    after: Sequence[pulumi.Resource] = ()


class Guardrails(pulumi.ComponentResource):
    """Every policy of `POLICIES`, attached unless `DETACHED`. `policy_ids` by name."""

    def __init__(
        self, name: str, args: GuardrailsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(
            "cordon:components:Guardrails", name, {"targets": list(args.targets)}, opts
        )
        self.policy_ids = {
            policy: organization_policy(
                f"{name}-{policy}",
                OrganizationPolicyArgs(
                    name=f"cordon-{policy}",
                    type="SERVICE_CONTROL_POLICY",
                    description=DESCRIPTIONS[policy],
                    content=content(policy, args.scope),
                    targets=() if policy in DETACHED else args.targets,
                    tags=kit_tags(Purpose.GUARDRAIL, args.tags),
                    after=args.after,
                ),
                self,
            )
            for policy in POLICIES
        }
        self.register_outputs({"policyIds": self.policy_ids})


def content(policy: str, scope: Scope) -> str:
    """The policy's JSON. ValueError when it is longer than Organizations takes."""
    text = json.dumps(
        {"Version": "2012-10-17", "Statement": POLICIES[policy](scope)}, separators=(",", ":")
    )
    if len(text) > SCP_LIMIT:
        raise ValueError(
            f"the guardrail {policy} has {len(text)} characters, over {SCP_LIMIT}; "
            "name fewer provisioners or people, or use one pattern for several"
        )
    return text


def _deny(
    sid: str,
    actions: Sequence[str],
    resource: str | Sequence[str],
    exempt: Sequence[str],
    condition: Condition | None = None,
) -> Statement:
    return {
        "Sid": sid,
        "Effect": "Deny",
        "Action": list(actions),
        "Resource": resource if isinstance(resource, str) else list(resource),
        "Condition": {"ArnNotLike": {"aws:PrincipalArn": list(exempt)}, **(condition or {})},
    }


def _named(scope: Scope) -> list[str]:
    """What is told from others by its name, because its tags can't be judged or don't matter."""
    iam = [f"{kind}{IAM_PATH}*" for kind in ("instance-profile", "policy", "role")]
    ssm = [*(f"document/{each}" for each in Document), f"parameter{MANIFEST_PARAMETER}"]
    return [
        *(scope.arn("iam", each) for each in iam),
        *(scope.arn("ssm", each) for each in ssm),
        *(scope.arn("s3", f"{prefix}*") for prefix in (VAULT_PREFIX, VAULT_LOGS_PREFIX)),
        scope.arn("kms", KEY_ALIAS),
        scope.arn("events", "rule/cordon-*"),
        scope.arn("sns", "cordon-*"),
        scope.arn("sqs", "cordon-*"),
        scope.arn("logs", f"log-group:{LOG_GROUP_PATH}*"),
    ]


_CHANGES_NETWORK = (
    "ec2:A*",
    "ec2:Create*",
    "ec2:Delete*",
    "ec2:Detach*",
    "ec2:Dis*",
    "ec2:E*",
    "ec2:Import*",
    "ec2:M*",
    "ec2:Re*",
    "ec2:RunInstances",
    "ec2:U*",
)
"""By first letters, for a policy's size: no action that begins so only reads. `Re*` is replace,
reset, revoke; RunInstances: in the kit's subnets and groups."""
_CHANGES_ROLES = (
    "iam:A*",
    "iam:C*",
    "iam:D*",
    "iam:P*",
    "iam:T*",
    "iam:U*",
)
"""Create, change, delete, pass and tag: what begins with G, L and S reads."""
_CHANGES_IAM = (
    *_CHANGES_ROLES,
    "iam:R*",
    "iam:Set*",
)
_BECOMES = (
    *_CHANGES_ROLES,
    "iam:E*",
    "iam:R*",
)
"""Credentials, MFA devices, trust and policies of a user or a role."""
_CHANGES_EBS_DEFAULTS = (
    "ec2:DisableEbsEncryptionByDefault",
    "ec2:ModifyEbsDefaultKmsKeyId",
    "ec2:ResetEbsDefaultKmsKeyId",
)
"""Settings of a region, which no tag marks."""
_CHANGES_KEYS = (
    "kms:Cancel*",
    "kms:CreateAlias",
    "kms:Delete*",
    "kms:Disable*",
    "kms:Enable*",
    "kms:Import*",
    "kms:Put*",
    "kms:Replicate*",
    "kms:RotateKey*",
    "kms:Schedule*",
    "kms:Synchronize*",
    "kms:TagResource",
    "kms:UntagResource",
    "kms:Update*",
)
_CHANGES_NAMED = (
    "events:Delete*",
    "events:Disable*",
    "events:Enable*",
    "events:Put*",
    "events:RemoveTargets",
    "events:Tag*",
    "events:Untag*",
    "kms:CreateAlias",
    "kms:DeleteAlias",
    "kms:UpdateAlias",
    "logs:*KmsKey",
    "logs:CreateLogAnomaly*",
    "logs:Delete*",
    "logs:PutBearer*",
    "logs:PutData*",
    "logs:PutLogGroup*",
    "logs:PutMetric*",
    "logs:PutRetention*",
    "logs:PutSubscription*",
    "logs:PutTransformer",
    "logs:Tag*",
    "logs:Untag*",
    "s3:CreateBucketMeta*",
    "s3:DeleteBucket*",
    "s3:PauseReplication",
    "s3:Put*Configuration",
    "s3:PutBucket*",
    "s3:TagResource",
    "s3:UntagResource",
    "s3:UpdateBucket*",
    "sns:AddPermission",
    "sns:DeleteTopic",
    "sns:PutData*",
    "sns:RemovePermission",
    "sns:SetTopic*",
    "sns:Subscribe",
    "sns:Tag*",
    "sns:Untag*",
    "sqs:AddPermission",
    "sqs:DeleteQueue",
    "sqs:PurgeQueue",
    "sqs:RemovePermission",
    "sqs:SetQueue*",
    "sqs:StartMessage*",
    "sqs:Tag*",
    "sqs:Untag*",
    "ssm:AddTags*",
    "ssm:Create*",
    "ssm:Delete*",
    "ssm:LabelParameter*",
    "ssm:ModifyDocument*",
    "ssm:Put*",
    "ssm:RemoveTags*",
    "ssm:UnlabelParameter*",
    "ssm:Update*",
)
"""On what `_named` lists; an action of one service never meets a resource of another."""
_TOUCHES_EC2 = (
    "ec2:Assign*",
    "ec2:Associate*",
    "ec2:Attach*",
    "ec2:Cancel*",
    "ec2:CopySnapshot",
    "ec2:CreateDelegate*",
    "ec2:CreateFlowLogs",
    "ec2:CreateImage",
    "ec2:CreateInstanceExport*",
    "ec2:CreateLocal*",
    "ec2:CreateMac*",
    "ec2:CreateNetworkInterfacePermission",
    "ec2:CreateReplaceRootVolumeTask",
    "ec2:CreateSnapshot*",
    "ec2:CreateTags",
    "ec2:CreateTraffic*",
    "ec2:CreateVerified*",
    "ec2:CreateVolume",
    "ec2:Delete*",
    "ec2:Deregister*",
    "ec2:Detach*",
    "ec2:Disable*",
    "ec2:Disassociate*",
    "ec2:Enable*",
    "ec2:Import*",
    "ec2:Inject*",
    "ec2:LockSnapshot",
    "ec2:Modify*",
    "ec2:Monitor*",
    "ec2:PauseVolumeIO",
    "ec2:Re*",
    "ec2:RunInstances",
    "ec2:Send*",
    "ec2:Start*",
    "ec2:Stop*",
    "ec2:Terminate*",
    "ec2:Un*",
)
"""`Un*` is unassign and unlock, `Re*` reboot, replace and reset, `Send*` interrupts. An image
reboots its instance; a snapshot, copy or export takes its data elsewhere."""
_TOUCHES_OBJECTS = (
    "s3:BypassGovernanceRetention",
    "s3:DeleteObject*",
    "s3:InitiateReplication",
    "s3:ObjectOwner*",
    "s3:PutObject*Acl",
    "s3:PutObject*Tagging",
    "s3:PutObjectLegalHold",
    "s3:PutObjectRetention",
    "s3:Replicate*",
    "s3:RestoreObject",
    "s3:UpdateObject*",
)
_ENTERS = (
    "ec2-instance-connect:*",
    "ssm:AddTags*",
    "ssm:CreateAssociation*",
    "ssm:DeleteAssociation",
    "ssm:PutCompliance*",
    "ssm:RemoveTags*",
    "ssm:SendCommand",
    "ssm:StartA*",
    "ssm:StartSession",
    "ssm:UpdateAssociation*",
)
_READS_BLOCKS = ("ebs:GetSnapshotBlock", "ebs:List*")
_TOUCHES_FLEETS = ("autoscaling:*",)
"""Of a group that is marked because it holds what is quarantined. What only describes names no
group in its request, and so is not denied."""
_TOUCHES_IDENTITIES = (
    "iam:A*",
    "iam:C*",
    "iam:D*",
    "iam:E*",
    "iam:P*",
    "iam:R*",
    "iam:T*",
    "iam:U*",
)
"""Of a user or role that is marked: it has the case's deny policy, and inactive keys."""
_DESTROYS = (
    "backup:Delete*",
    "backup:DisassociateRecoveryPoint*",
    "backup:PutBackupVaultAccessPolicy",
    "dynamodb:Delete*",
    "dynamodb:UpdateContinuousBackups",
    "ec2:DeleteSnapshot",
    "ec2:DeleteVolume",
    "ec2:DeregisterImage",
    "ec2:TerminateInstances",
    "ec2:UnlockSnapshot",
    "elasticfilesystem:Delete*",
    "fsx:Delete*",
    "kms:DeleteImportedKeyMaterial",
    "kms:DisableKey",
    "kms:PutKeyPolicy",
    "kms:ScheduleKeyDeletion",
    "rds:Delete*",
    "redshift:Delete*",
    "s3:BypassGovernanceRetention",
    "s3:DeleteBucket*",
    "s3:DeleteObject*",
    "s3:PutBucketVersioning",
    "s3:PutLifecycle*",
    "secretsmanager:DeleteSecret",
)
_BLINDS = (
    "account:CloseAccount",
    "account:DisableRegion",
    "cloudtrail:Delete*",
    "cloudtrail:PutEventSelectors",
    "cloudtrail:StopLogging",
    "cloudtrail:UpdateTrail",
    "config:Delete*",
    "config:StopConfigurationRecorder",
    "guardduty:Delete*",
    "guardduty:Disassociate*",
    "guardduty:UpdateDetector",
    "logs:Delete*",
    "organizations:LeaveOrganization",
)
_SHARES = (
    "ec2:ModifyImageAttribute",
    "ec2:ModifySnapshotAttribute",
    "rds:ModifyDB*SnapshotAttribute",
    "s3:PutBucketPolicy",
    "s3:PutReplication*",
)
