"""Deletes an access key, on request and for good: only one that this case made inactive.

Its record must be in the vault first (`responders.identity.key_deletion`).
"""

from __future__ import annotations

from responders.action import Action, Incident, Observation
from responders.actions.deactivate_keys import statuses
from responders.errors import Skip
from responders.identity import key_deletion
from responders.identity.deny_policy import SETTLES, USERS
from responders.identity.principal import Principal
from responders.permissions import allow
from responders.record.case import Case


class DeleteKey(Action[Principal]):
    """The key is gone."""

    name = "delete-key"
    contains = True
    announce = True
    permissions = (
        allow(
            "iam:DeleteAccessKey",
            on=USERS,
            because="deletes an inactive key with --delete, once its record is in the vault",
            risk="can delete any user's access keys",
        ),
    )

    def observe(self, incident: Incident[Principal]) -> Observation:
        """The key's status; None when it is gone."""
        return {incident.target: statuses(incident).get(incident.target)}

    def lacks(self, incident: Incident[Principal], observation: Observation) -> tuple[str, ...]:
        """It is there."""
        return tuple(f"{key} exists" for key, status in observation.items() if status is not None)

    def act(self, incident: Incident[Principal], observation: Observation) -> None:
        """Deletes it, if it is still inactive and recorded."""
        obstacle = key_deletion.obstacle(
            incident.aws,
            Case(incident.case),
            incident.target,
            observation[incident.target],
            incident.region,
        )
        if obstacle:
            raise Skip(obstacle, incomplete=True)
        incident.client("iam").delete_access_key(
            UserName=incident.subject.name, AccessKeyId=incident.target
        )
        incident.wait_for(
            lambda: incident.target not in statuses(incident), seconds=SETTLES, every=1.0
        )

    def undo(self, incident: Incident[Principal], before: Observation) -> None:
        """Can't: says what to do."""
        raise Skip(
            f"{incident.target} was deleted and can't come back: make a new key with "
            f"`aws iam create-access-key --user-name {incident.subject.name}`",
            incomplete=True,
        )
