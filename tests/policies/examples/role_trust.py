from typing import Any

from contract import IAM_PATH, Purpose
from policies.bridge.program import Resource
from tests.policies.samples import kit, made, policy

ROOT = "arn:aws:iam::111122223333:root"
ALICE = {"AWS": "arn:aws:iam::111122223333:user/alice"}
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
EXTERNAL = {"StringEquals": {"sts:ExternalId": "example-external-id"}}


def role(principal: Any, condition: Any = None, path: str = IAM_PATH) -> Resource:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    trust = policy(statement | ({"Condition": condition} if condition else {}))
    return made(
        "aws:iam/role:Role", "role", path=path, assumeRolePolicy=trust, tags=kit(Purpose.ROLE)
    )


GOOD = [
    [role(ALICE, MFA)],
    [role({"AWS": ROOT}, EXTERNAL)],
    [role({"Service": "ec2.amazonaws.com"})],
]
BAD = [
    ("neither MFA nor an external id", [role(ALICE)]),
    ("neither MFA", [role(ALICE, {"BoolIfExists": {"aws:MultiFactorAuthPresent": "true"}})]),
    ("neither MFA", [role(ALICE, {"Bool": {"aws:MultiFactorAuthPresent": "false"}})]),
    ("neither MFA", [role(ALICE, {"StringEquals": {"sts:ExternalId": ""}})]),
    ("trusts a wildcard", [role({"AWS": "*"}, MFA)]),
    ("trusts a wildcard", [role({"AWS": ["arn:aws:iam::111122223333:role/*"]}, MFA)]),
    ("trusts everybody", [role("*", MFA)]),
]
OTHER = [[role(ALICE, path="/")]]
