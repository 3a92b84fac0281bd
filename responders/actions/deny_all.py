"""Denies everything to a user or a role: keys, password and sessions alike, until released."""

from __future__ import annotations

from responders.action import Action, Incident, Observation
from responders.aws import code_of, explain
from responders.identity import deny_document, principal
from responders.identity.deny_document import Document
from responders.identity.deny_policy import IdentityPolicy, as_absent
from responders.identity.principal import Principal
from responders.identity.subject import require_editable
from responders.json_values import Json


class DenyAll(Action[Principal]):
    """One policy that denies every action on every resource."""

    name = "deny-all"
    contains = True
    permissions = ()  # those of `responders.identity.deny_policy`

    def observe(self, incident: Incident[Principal]) -> Observation:
        """The policy's name to its state."""
        name = deny_document.policy_name(incident.case, deny_document.EVERYTHING)
        return {name: IdentityPolicy(incident, incident.subject, name).read_if_possible()}

    def lacks(self, incident: Incident[Principal], observation: Observation) -> tuple[str, ...]:
        """One line, unless everything is denied."""
        subject = incident.subject
        wanted = deny_document.everything()
        if subject.kind == "role":
            _require_editable(incident, subject, wanted)
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

    def is_own(self, incident: Incident[Principal], resource: str, state: Json) -> bool:
        """A policy that denies, under the name that a response of this case gives it."""
        return deny_document.is_deny((state or {}).get("document"))

    def undo(self, incident: Incident[Principal], before: Observation) -> None:
        """The policy as it was: gone, where there was none."""
        for name, state in before.items():
            IdentityPolicy(incident, incident.subject, name).restore(state)

    def restored(self, before: Json, now: Json) -> bool:
        """One that could not be read before is restored when it is gone."""
        return bool(as_absent(before) == as_absent(now))


def _require_editable(incident: Incident[Principal], role: Principal, wanted: Document) -> None:
    """Raises Skip for a role that can't be changed; if that is not known, IAM's refusal tells."""
    try:
        described = principal.describe(incident.aws, role)
    except Exception as error:
        if code_of(error) == "NoSuchEntity":
            raise
        incident.risk(f"whether {role} is one whose policies bind is not known: {explain(error)}")
    else:
        require_editable(described, wanted)
