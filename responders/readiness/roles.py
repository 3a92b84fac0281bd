"""The kit's roles and profiles are there, and the responder's role asks for MFA or an id."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from contract import IAM_PATH, RESPONDER_ROLE
from responders.aws import code_of
from responders.permissions import allow
from responders.readiness import FAIL, OK, WARN, Finding, Place
from responders.trust import assume_role

SCOPE = "account"
PERMISSIONS = (
    allow(
        "iam:GetRole",
        on="arn:{partition}:iam::{account}:role" + IAM_PATH + "*",
        because="looks at the responder role's trust",
    ),
    allow(
        "iam:GetInstanceProfile",
        on="arn:{partition}:iam::{account}:instance-profile" + IAM_PATH + "*",
        because="looks whether the prepared profiles are there",
    ),
)


def check(place: Place) -> Iterator[Finding]:
    """The responder role's trust, then each profile that the manifest names."""
    iam = place.client("iam")
    yield _responder(place, iam)
    manifest = place.manifest
    if manifest is None:
        return
    for name in sorted({manifest.workstation_profile, *manifest.isolated_profiles.values()} - {""}):
        there = _get(lambda name=name: iam.get_instance_profile(InstanceProfileName=name))
        yield (
            Finding("roles", OK, f"instance profile {name} is there")
            if there
            else Finding("roles", FAIL, f"no instance profile {name}", "Run `pulumi up`.")
        )


def _responder(place: Place, iam: Any) -> Finding:
    answer = _get(lambda: iam.get_role(RoleName=RESPONDER_ROLE))
    if answer is None:
        return Finding(
            "roles",
            WARN,
            f"no role {IAM_PATH}{RESPONDER_ROLE}: responders need other permissions of their own",
            "Add `responders` to the stack's config and run `pulumi up`.",
        )
    document = place.trust.document
    pinned = document.people.get(RESPONDER_ROLE, ()) if document else ()
    trust = answer["Role"]["AssumeRolePolicyDocument"]
    if wrong := list(assume_role.faults(trust, place.identity.account, pinned)):
        return Finding(
            "roles",
            FAIL,
            f"{RESPONDER_ROLE} {'; '.join(wrong)}",
            "Run `pulumi up --refresh`, and find out who changed the trust (CloudTrail).",
        )
    return Finding("roles", OK, f"{RESPONDER_ROLE} asks for MFA or an external id")


def _get(ask: Any) -> Any:
    try:
        return ask()
    except Exception as error:
        if code_of(error) != "NoSuchEntity":
            raise
        return None
