"""Makes access keys inactive: one key, or all keys of its user. Release makes them active again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from responders.action import Action, Incident, Seen
from responders.aws import code_of
from responders.identity.deny_policy import SETTLES, USERS
from responders.identity.subject import is_key, is_temporary, subject_of
from responders.permissions import allow

if TYPE_CHECKING:
    from types_boto3_iam.literals import StatusTypeType


class DeactivateKeys(Action):
    """Status `Inactive`; nothing is deleted."""

    name = "deactivate-keys"
    contains = True
    permissions = (
        allow(
            "iam:ListAccessKeys",
            on=USERS,
            because="reads the status of a user's keys",
        ),
        allow(
            "iam:UpdateAccessKey",
            on=USERS,
            because="makes a leaked key inactive; release makes it active again",
            risk="can make any user's keys inactive, or active again",
        ),
    )

    def observe(self, incident: Incident) -> Seen:
        """Key id to its status; None for one that is gone."""
        wanted = _wanted(incident)
        there = statuses(incident)
        chosen = there if wanted is None else {k: there.get(k) for k in wanted}
        return dict(sorted({**{k: there.get(k) for k in incident.known}, **chosen}.items()))

    def lacks(self, incident: Incident, seen: Seen) -> tuple[str, ...]:
        """A line for each key that is active."""
        if is_temporary(incident.target):
            incident.note("a temporary key can't be made inactive: its sessions are denied instead")
        return tuple(f"{key} is active" for key, status in seen.items() if status == "Active")

    def act(self, incident: Incident, seen: Seen) -> None:
        """Every active key at once; waits until IAM shows it."""
        active = [key for key, status in seen.items() if status == "Active"]
        incident.aws.each(lambda key: _update(incident, key, "Inactive"), active)
        _settled(incident, dict.fromkeys(active, "Inactive"))

    def undo(self, incident: Incident, before: Seen) -> None:
        """Each key's status as it was."""
        for key, status in before.items():
            _update(incident, key, status)
        _settled(incident, before)


def statuses(incident: Incident) -> dict[str, str]:
    """All keys of the subject, by id; none for a role, or a user that is gone."""
    subject = subject_of(incident)
    if subject.kind != "user":
        return {}
    pages = incident.client("iam").get_paginator("list_access_keys")
    try:
        found = [k for p in pages.paginate(UserName=subject.name) for k in p["AccessKeyMetadata"]]
    except Exception as error:
        if code_of(error) == "NoSuchEntity":
            return {}
        raise
    return {str(k["AccessKeyId"]): str(k["Status"]) for k in found}


def _wanted(incident: Incident) -> list[str] | None:
    """The keys to make inactive; None: all of the user."""
    if not is_key(incident.target) or incident.options.all_keys:
        return None
    return [] if is_temporary(incident.target) else [incident.target]


def _update(incident: Incident, key: str, status: StatusTypeType) -> None:
    incident.client("iam").update_access_key(
        UserName=subject_of(incident).name, AccessKeyId=key, Status=status
    )


def _settled(incident: Incident, wanted: Seen) -> None:
    incident.wait_for(
        lambda: dict(wanted) == {k: v for k, v in statuses(incident).items() if k in wanted},
        seconds=SETTLES,
        every=1.0,
    )
