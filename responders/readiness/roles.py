"""Who may assume the kit's roles, and whether the prepared instance profiles are the kit's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from contract import (
    ANALYST_ROLE,
    BREAK_GLASS_ROLE,
    IAM_PATH,
    RESPONDER_ROLE,
    WORKSTATION_PROFILE,
)
from responders.aws import code_of
from responders.permissions import allow
from responders.readiness import FAIL, OK, REFRESH, WARN, Finding, Place
from responders.trust import assume_role
from responders.trust.isolated_profiles import ABSENT, PROFILES

SCOPE = "account"
PERMISSIONS = (
    allow(
        "iam:GetRole",
        on="arn:{partition}:iam::{account}:role" + IAM_PATH + "*",
        because="looks who may assume the kit's roles",
    ),
    allow(
        "iam:GetInstanceProfile",
        on="arn:{partition}:iam::{account}:instance-profile" + IAM_PATH + "*",
        because="looks whether the prepared profiles are there",
    ),
)
WITHOUT_RESPONDER = (
    f"no role {IAM_PATH}{RESPONDER_ROLE}: responders need other permissions of their own"
)


def check(place: Place) -> Iterator[Finding]:
    """The trust of each role that people assume, then each prepared profile."""
    for role in (RESPONDER_ROLE, ANALYST_ROLE, BREAK_GLASS_ROLE):
        yield from _people(place, role)
    manifest = place.trust.manifest
    if manifest.workstation_profile:
        yield _workstation(place)
    for kind in sorted(manifest.isolated_profiles):
        yield _isolated(place, PROFILES.get(kind, kind))


def _people(place: Place, role: str) -> Iterator[Finding]:
    document = place.trust.document
    people = document.people.get(role, ()) if document else ()
    trust = _trust_of(place, role)
    if trust is None:
        if people:
            yield Finding("roles", FAIL, f"the role {role} is gone", REFRESH)
        elif role == RESPONDER_ROLE:
            fix = "Add `responders` to the stack's config and run `pulumi up`."
            yield Finding("roles", WARN, WITHOUT_RESPONDER, fix)
        return
    needs_mfa = role == BREAK_GLASS_ROLE
    wrong = list(assume_role.faults(trust, place.identity.account, people, needs_mfa=needs_mfa))
    if document and not people:
        wrong.append("is not in the trust document: `pulumi up` did not make it")
    if wrong:
        yield Finding("roles", FAIL, f"{role} {'; '.join(wrong)}", REFRESH)
    else:
        asks = "MFA" if needs_mfa else "MFA or an external id"
        yield Finding("roles", OK, f"{role} asks for {asks}")


def _trust_of(place: Place, role: str) -> Mapping[str, Any] | None:
    """The role's trust policy; None where there is no such role."""
    try:
        answer = place.client("iam").get_role(RoleName=role)
    except Exception as error:
        if code_of(error) != "NoSuchEntity":
            raise
        return None
    # The reference has text here; botocore parses it.
    trust: Any = answer["Role"]["AssumeRolePolicyDocument"]
    return trust if isinstance(trust, dict) else {}


def _workstation(place: Place) -> Finding:
    name = WORKSTATION_PROFILE
    try:
        answer = place.client("iam").get_instance_profile(InstanceProfileName=name)
    except Exception as error:
        if code_of(error) != "NoSuchEntity":
            raise
        return Finding("roles", FAIL, f"no instance profile {name}", REFRESH)
    roles = [(r["RoleName"], r["Path"]) for r in answer["InstanceProfile"]["Roles"]]
    if roles != [(name, IAM_PATH)]:
        other = ", ".join(role for role, _ in roles) or "none"
        detail = f"the instance profile {name} has another role than its own: {other}"
        return Finding("roles", FAIL, detail, REFRESH)
    return Finding("roles", OK, f"instance profile {name} has its own role")


def _isolated(place: Place, name: str) -> Finding:
    fault = place.trust.profile_fault(name)
    if fault == ABSENT:
        return Finding("roles", FAIL, f"no instance profile {name}", REFRESH)
    if fault:
        return Finding("roles", FAIL, fault, REFRESH)
    return Finding("roles", OK, f"instance profile {name} gives what it was made to give")
