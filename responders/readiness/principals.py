"""Whom the responder role trusts lives outside the account, where its administrators can't reach.

An administrator may make a key, another MFA device or another trust for a user or role of the
account, and then is a responder. Roles of IAM Identity Center lie in the account and only Identity
Center can change them (IAM Identity Center user guide, "IAM roles created by IAM Identity Center").
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from contract import IAM_PATH, RESPONDER_ROLE, as_list
from responders.aws import code_of
from responders.permissions import allow
from responders.readiness import OK, WARN, Finding, Place

SCOPE = "account"
PERMISSIONS = (
    allow(
        "iam:GetRole",
        on="arn:{partition}:iam::{account}:role" + IAM_PATH + "*",
        because="looks at the responder role's trust",
    ),
)
IDENTITY_CENTER = ":role/aws-reserved/sso.amazonaws.com/"
"""In the ARNs of roles that only IAM Identity Center changes."""
FIX = (
    "Let responders come from IAM Identity Center or another account, or name them in the "
    "organization's `guardedPeople` (docs/guardrails.md)."
)


def check(place: Place) -> Iterator[Finding]:
    """One finding, about all principals that the trust of the responder role names."""
    try:
        answer = place.client("iam").get_role(RoleName=RESPONDER_ROLE)
    except Exception as error:
        if code_of(error) == "NoSuchEntity":
            return  # the check of the roles tells
        raise
    trust = cast(Mapping[str, Any], answer["Role"]["AssumeRolePolicyDocument"])  # botocore parses
    trusted = sorted(_trusted(trust))
    inside = [arn for arn in trusted if _is_inside(arn, place.identity.account)]
    if inside:
        yield Finding(
            "principals",
            WARN,
            f"{RESPONDER_ROLE} trusts {', '.join(inside)} of this account: its administrators can "
            "become a responder",
            FIX,
        )
    else:
        yield Finding("principals", OK, f"nobody of this account can become {RESPONDER_ROLE}")


def _trusted(document: Mapping[str, Any]) -> Iterator[str]:
    for statement in as_list(document["Statement"]):
        principal = statement.get("Principal", {})
        named = principal.get("AWS") if isinstance(principal, Mapping) else principal
        if statement["Effect"] == "Allow":
            yield from (str(one) for one in as_list(named))


def _is_inside(arn: str, account: str) -> bool:
    """Whether administrators of the account may change it; one that is deleted shows as an id."""
    if not arn.startswith("arn:"):
        return not (arn.isdigit() and arn != account)
    return arn.split(":")[4] == account and IDENTITY_CENTER not in arn
