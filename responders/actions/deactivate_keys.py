"""Makes access keys inactive: one key, or all keys of its user. Release makes them active again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from responders.action import Action, Incident, Observation
from responders.aws import code_of, explain
from responders.errors import Skip
from responders.identity.deny_policy import SETTLES, USERS
from responders.identity.principal import Principal
from responders.identity.subject import is_key, is_temporary
from responders.permissions import allow

if TYPE_CHECKING:
    from types_boto3_iam.literals import StatusTypeType

UNREAD = "unread"
"""Stands for the status of a key when IAM did not say it."""


@dataclass(frozen=True)
class DeactivateKeys(Action[Principal]):
    """Status `Inactive`; nothing is deleted."""

    all_keys: bool = False
    """For a key: the other keys of its user too."""

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

    def observe(self, incident: Incident[Principal]) -> Observation:
        """Key id to its status; None for one that is gone.

        `UNREAD` for the key that leaked when IAM lists none: its id is known, so it can be made
        inactive all the same. Which other keys its user has is not known then.
        """
        try:
            present = statuses(incident)
        except Exception as error:
            if not is_key(incident.target) or is_temporary(incident.target):
                raise
            incident.risk(
                f"whether {incident.target} is inactive can't be seen, nor what other keys "
                f"{incident.subject} has: {explain(error)}"
            )
            return {incident.target: UNREAD}
        chosen = self._chosen(incident, present)
        return dict(sorted({**{k: present.get(k) for k in incident.known}, **chosen}.items()))

    def lacks(self, incident: Incident[Principal], observation: Observation) -> tuple[str, ...]:
        """A line for each key that is active."""
        if is_temporary(incident.target):
            incident.note("a temporary key can't be made inactive: its sessions are denied instead")
        lines = {"Active": "is active", UNREAD: "is not known to be inactive"}
        return tuple(
            f"{key} {lines[str(state)]}" for key, state in observation.items() if state in lines
        )

    def act(self, incident: Incident[Principal], observation: Observation) -> None:
        """Every key that is not inactive, at once; waits until IAM shows it."""
        active = [key for key, status in observation.items() if status in ("Active", UNREAD)]
        incident.aws.each(lambda key: _update(incident, key, "Inactive"), active)
        _settled(incident, dict.fromkeys(active, "Inactive"))

    def undo(self, incident: Incident[Principal], before: Observation) -> None:
        """Each key's status as it was. What it was is not always known: then it stays inactive."""
        known = {key: status for key, status in before.items() if status != UNREAD}
        incident.aws.each(lambda key: _update(incident, key, known[key]), list(known))
        _settled(incident, known)
        if unread := sorted(set(before) - set(known)):
            raise Skip(
                f"whether {', '.join(unread)} was active before could not be read then: make it "
                "active by hand, if it was",
                incomplete=True,
            )

    def _chosen(
        self, incident: Incident[Principal], present: Mapping[str, str]
    ) -> Mapping[str, str | None]:
        """The keys to make inactive, with their statuses: the one key, or all of the user."""
        if not is_key(incident.target) or self.all_keys:
            return present
        return (
            {} if is_temporary(incident.target) else {incident.target: present.get(incident.target)}
        )


def statuses(incident: Incident[Principal]) -> dict[str, str]:
    """All keys of the subject, by id; none for a role, or a user that is gone."""
    subject = incident.subject
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


def _update(incident: Incident[Principal], key: str, status: StatusTypeType) -> None:
    incident.client("iam").update_access_key(
        UserName=incident.subject.name, AccessKeyId=key, Status=status
    )


def _settled(incident: Incident[Principal], wanted: Observation) -> None:
    incident.wait_for(
        lambda: dict(wanted) == {k: v for k, v in statuses(incident).items() if k in wanted},
        seconds=SETTLES,
        every=1.0,
    )
