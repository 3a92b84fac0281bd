"""Deletes a user's console password, on request: nobody can restore it.

The deny policy already makes the console useless to whoever signs in. This also stops the signing
in. On release the password stays gone, and the report says how to give a new one.
"""

from __future__ import annotations

from responders.action import Action, Incident, Observation
from responders.aws import code_of, expecting
from responders.errors import Skip
from responders.identity.deny_policy import USERS
from responders.identity.principal import Principal
from responders.permissions import allow
from responders.record.journal import utc


class DropLogin(Action[Principal]):
    """No login profile."""

    name = "drop-login"
    announce = True
    permissions = (
        allow("iam:GetLoginProfile", on=USERS, because="sees if a user has a console password"),
        allow(
            "iam:DeleteLoginProfile",
            on=USERS,
            because="deletes a console password with --delete-login; it can't be restored",
            risk="can delete any user's console password",
        ),
    )

    def observe(self, incident: Incident[Principal]) -> Observation:
        """`password` to the time it was made, None when there is none."""
        try:
            answer = incident.client("iam").get_login_profile(UserName=incident.subject.name)
        except Exception as error:
            if code_of(error) != "NoSuchEntity":
                raise
            return {"password": None}
        return {"password": utc(answer["LoginProfile"]["CreateDate"])}

    def lacks(self, incident: Incident[Principal], observation: Observation) -> tuple[str, ...]:
        """There is a password."""
        return ("the console password is there; deleted, it can't be restored",) * bool(
            observation["password"]
        )

    def act(self, incident: Incident[Principal], observation: Observation) -> None:
        """Deletes it."""
        with expecting("NoSuchEntity"):
            incident.client("iam").delete_login_profile(UserName=incident.subject.name)

    def undo(self, incident: Incident[Principal], before: Observation) -> None:
        """Can't: says what to do."""
        raise Skip(
            "the console password was deleted and can't be restored: give a new one with "
            f"`aws iam create-login-profile --user-name {incident.subject.name} "
            "--password-reset-required`",
            incomplete=True,
        )
