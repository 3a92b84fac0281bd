from typing import Any

from contract import Purpose
from policies.bridge.program import Resource
from tests.policies.samples import allow, kit, made, policy

TAGGED = {"StringEquals": {"aws:ResourceTag/cordon:status": "quarantined"}}


def held(*statements: dict[str, Any], tags: Any = None) -> Resource:
    found = policy(*statements)
    return made("aws:iam/policy:Policy", "policy", policy=found, tags=tags or kit(Purpose.ROLE))


GOOD = [
    [held(allow(["ec2:DescribeInstances", "iam:GetRole"]))],
    [held(allow("ec2:StopInstances", "arn:aws:ec2:*:111122223333:instance/*"))],
    [held(allow("ec2:StopInstances", Condition=TAGGED))],
    [held(allow("ssmmessages:OpenDataChannel"))],
    [held({"Effect": "Deny", "Action": "*", "Resource": "*"})],
    [made("aws:iam/rolePolicy:RolePolicy", "inline", policy=policy(allow("ec2:DescribeVpcs")))],
]
BAD = [
    ("allows ec2:StopInstances on everything", [held(allow("ec2:StopInstances"))]),
    ("allows ec2:*", [held(allow("ec2:*", "arn:aws:ec2:*:111122223333:instance/*"))]),
    ("allows *", [held(allow("*", Condition=TAGGED))]),
    ("allows by exclusion", [held({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"})]),
    (
        "allows kms:Decrypt on everything",
        [made("aws:iam/rolePolicy:RolePolicy", "inline", policy=policy(allow("kms:Decrypt")))],
    ),
]
OTHER = [[held(allow("ec2:*"), tags={"Owner": "alice"})]]
