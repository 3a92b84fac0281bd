"""Saves what a user or role looked like: its policies, groups, keys, password, MFA, trust."""

from __future__ import annotations

from collections.abc import Callable

from responders.action import Action, Incident, Observation
from responders.actions.record_parts.part import as_json
from responders.aws import code_of, pages
from responders.identity import principal
from responders.identity.deny_policy import ROLES, USERS
from responders.identity.policies import policies_of
from responders.identity.principal import Principal
from responders.identity.subject import KEYS_RECORD, evidence_name
from responders.json_values import Json
from responders.permissions import allow

GROUPS = "arn:{partition}:iam::{account}:group/*"

Part = Callable[[Incident[Principal], str], Json]


class RecordIdentity(Action[Principal]):
    """Each part is a few reads and one file; each may fail alone. Nothing in AWS changes."""

    name = "record-identity"
    collects = True
    writes_aws = False
    permissions = (
        allow(
            "iam:GetUser",
            "iam:ListAccessKeys",
            "iam:ListGroupsForUser",
            "iam:GetLoginProfile",
            "iam:ListMFADevices",
            "iam:ListSigningCertificates",
            "iam:ListSSHPublicKeys",
            "iam:ListServiceSpecificCredentials",
            on=USERS,
            because="saves what a user looked like",
        ),
        allow(
            "iam:ListGroupPolicies",
            "iam:GetGroupPolicy",
            "iam:ListAttachedGroupPolicies",
            on=GROUPS,
            because="saves what a user's groups allow",
        ),
        allow(
            "iam:GetRole",
            "iam:ListInstanceProfilesForRole",
            on=ROLES,
            because="saves what a role looked like",
        ),
        allow("iam:GetAccessKeyLastUsed", because="saves when and where keys were used last"),
        allow(
            "iam:GetPolicy",
            "iam:GetPolicyVersion",
            on="arn:{partition}:iam::*:policy/*",
            because="saves what the attached managed policies allow",
        ),
    )

    def observe(self, incident: Incident[Principal]) -> Observation:
        """Part to whether the case has it already."""
        have = incident.evidence.names()
        return {name: evidence_name(incident.target, name) in have for name in _parts(incident)}

    def lacks(self, incident: Incident[Principal], observation: Observation) -> tuple[str, ...]:
        """A line for each part that is not saved yet."""
        return tuple(f"{name} is not saved" for name, saved in observation.items() if not saved)

    def act(self, incident: Incident[Principal], observation: Observation) -> None:
        """All parts that lack, at the same time."""
        parts = _parts(incident)
        who = incident.subject.name

        def save(name: str) -> None:
            data = as_json(parts[name](incident, who))
            incident.evidence.save(evidence_name(incident.target, name), data)

        incident.aws.each(save, [name for name, saved in observation.items() if not saved])

    def undo(self, incident: Incident[Principal], before: Observation) -> None:
        """Nothing: evidence is kept, and nothing in AWS was changed."""

    def restored(self, before: Json, now: Json) -> bool:
        """Always: there is nothing to restore."""
        return True


def _parts(incident: Incident[Principal]) -> dict[str, Part]:
    return USER_PARTS if incident.subject.kind == "user" else ROLE_PARTS


def _pages(incident: Incident[Principal], operation: str, field: str, **params: str) -> list[Json]:
    return pages(incident.client("iam"), operation, field, **params)


def _identity(incident: Incident[Principal], who: str) -> Json:
    return principal.describe(incident.aws, incident.subject)


def _keys(incident: Incident[Principal], user: str) -> Json:
    client = incident.client("iam")
    found = _pages(incident, "list_access_keys", "AccessKeyMetadata", UserName=user)
    return [
        {**k, "LastUsed": client.get_access_key_last_used(AccessKeyId=k["AccessKeyId"])}
        for k in found
    ]


def _user_policies(incident: Incident[Principal], user: str) -> Json:
    return policies_of(incident.client("iam"), "user", user)


def _role_policies(incident: Incident[Principal], role: str) -> Json:
    return policies_of(incident.client("iam"), "role", role)


def _groups(incident: Incident[Principal], user: str) -> Json:
    client = incident.client("iam")
    groups = _pages(incident, "list_groups_for_user", "Groups", UserName=user)
    return [{**g, "Policies": policies_of(client, "group", g["GroupName"])} for g in groups]


def _login(incident: Incident[Principal], user: str) -> Json:
    """The console password's dates; never the password, which nobody can read."""
    try:
        found = incident.client("iam").get_login_profile(UserName=user)["LoginProfile"]
    except Exception as error:
        if code_of(error) != "NoSuchEntity":
            raise
        incident.note("no console password")
        return None
    incident.note("has a console password")
    return found


def _mfa(incident: Incident[Principal], user: str) -> Json:
    devices = _pages(incident, "list_mfa_devices", "MFADevices", UserName=user)
    serials = ", ".join(str(d["SerialNumber"]) for d in devices)
    incident.note(f"MFA devices: {serials}" if serials else "no MFA device")
    return devices


def _other_credentials(incident: Incident[Principal], user: str) -> Json:
    answer = incident.client("iam").list_service_specific_credentials(UserName=user)
    return {
        "signing-certificates": _pages(
            incident, "list_signing_certificates", "Certificates", UserName=user
        ),
        "ssh-public-keys": _pages(incident, "list_ssh_public_keys", "SSHPublicKeys", UserName=user),
        "service-specific": answer["ServiceSpecificCredentials"],
    }


def _profiles(incident: Incident[Principal], role: str) -> Json:
    return _pages(incident, "list_instance_profiles_for_role", "InstanceProfiles", RoleName=role)


USER_PARTS: dict[str, Part] = {
    "user.json": _identity,
    KEYS_RECORD: _keys,
    "policies.json": _user_policies,
    "groups.json": _groups,
    "login-profile.json": _login,
    "mfa-devices.json": _mfa,
    "other-credentials.json": _other_credentials,
}
ROLE_PARTS: dict[str, Part] = {
    "role.json": _identity,
    "policies.json": _role_policies,
    "instance-profiles.json": _profiles,
}
