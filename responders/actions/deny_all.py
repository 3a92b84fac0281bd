"""Denies everything to a user or a role: keys, password and sessions alike, until released."""

from __future__ import annotations

from responders.action import Action, Incident, Observation
from responders.identity import deny_document, principal
from responders.identity.deny_policy import IdentityPolicy
from responders.identity.principal import Principal
from responders.identity.subject import require_editable


class DenyAll(Action[Principal]):
    """One policy that denies every action on every resource."""

    name = "deny-all"
    contains = True
    permissions = ()  # those of `responders.identity.deny_policy`

    def observe(self, incident: Incident[Principal]) -> Observation:
        """The policy's name to its state."""
        name = deny_document.policy_name(incident.case, deny_document.EVERYTHING)
        return {name: IdentityPolicy(incident, incident.subject, name).read()}

    def lacks(self, incident: Incident[Principal], observation: Observation) -> tuple[str, ...]:
        """One line, unless everything is denied."""
        subject = incident.subject
        wanted = deny_document.everything()
        if subject.kind == "role":
            require_editable(principal.describe(incident.aws, subject), wanted)
        if all(
            deny_document.covers((state or {}).get("document"), wanted)
            for state in observation.values()
        ):
            return ()
        return (f"{subject} is not denied everything",)

    def act(self, incident: Incident[Principal], observation: Observation) -> None:
        """Writes the policy."""
        for name in observation:
            policy = IdentityPolicy(incident, incident.subject, name)
            if note := policy.enforce(deny_document.everything()):
                incident.note(note)

    def undo(self, incident: Incident[Principal], before: Observation) -> None:
        """The policy as it was: gone, where there was none."""
        for name, state in before.items():
            IdentityPolicy(incident, incident.subject, name).restore(state)
