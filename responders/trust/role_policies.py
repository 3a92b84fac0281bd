"""Which policies a role of the kit has: those that the kit gives it by name, and others."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from contract import IAM_PATH, RESPONDER_ROLE
from responders.aws import Aws
from responders.permissions import allow

PERMISSIONS = (
    allow(
        "iam:ListAttachedRolePolicies",
        "iam:ListRolePolicies",
        "iam:GetRolePolicy",
        on="arn:{partition}:iam::{account}:role" + IAM_PATH + "*",
        because="sees what a role of the kit may do",
    ),
    allow(
        "iam:GetPolicy",
        "iam:GetPolicyVersion",
        on="arn:{partition}:iam::{account}:policy" + IAM_PATH + "*",
        because="reads the generated policies of the responder role",
    ),
)


@dataclass(frozen=True)
class RolePolicies:
    """`documents`: ARN or name to the document of each policy that has a name of the kit's.

    `attached` (ARNs) and `inline` (names) are of others: nothing that the kit makes.
    """

    documents: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    attached: tuple[str, ...] = ()
    inline: tuple[str, ...] = ()


def read(aws: Aws, role: str) -> RolePolicies:
    """Every policy of a role. The responder role's are attached, those of all others inline."""
    iam = aws.client("iam")
    own = re.compile(
        rf"arn:{aws.identity.partition}:iam::{aws.identity.account}:policy"
        rf"{re.escape(IAM_PATH + RESPONDER_ROLE)}-[a-z]+(-\d+)?"
    )
    pages = iam.get_paginator("list_attached_role_policies").paginate(RoleName=role)
    attached = [str(p["PolicyArn"]) for page in pages for p in page["AttachedPolicies"]]
    names = iam.get_paginator("list_role_policies").paginate(RoleName=role)
    inline = [str(name) for page in names for name in page["PolicyNames"]]
    managed = [arn for arn in attached if role == RESPONDER_ROLE and own.fullmatch(arn)]
    written = [name for name in inline if role != RESPONDER_ROLE and name == role]
    asked = {arn: aws.spawn(_managed, aws, arn) for arn in managed}
    documents = {arn: future.result() for arn, future in asked.items()}
    for name in written:
        document: Any = iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        documents[name] = document
    return RolePolicies(
        documents,
        tuple(arn for arn in attached if arn not in managed),
        tuple(name for name in inline if name not in written),
    )


def _managed(aws: Aws, arn: str) -> Mapping[str, Any]:
    iam = aws.client("iam")
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    answer = iam.get_policy_version(PolicyArn=arn, VersionId=version)
    document: Any = answer["PolicyVersion"]["Document"]
    return document if isinstance(document, dict) else {}
