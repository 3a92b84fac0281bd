"""Stops sessions that were issued before a cut-off: a policy on the user or role denies them all.

The cut-off is 30 s after the first run of the case on this target began (`--renew`: this run), so
that a session refreshed meanwhile dies too. Sessions issued later are not denied.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from responders.action import Action, Incident, Observation
from responders.aws import code_of, explain
from responders.identity import deny_document, principal
from responders.identity.deny_document import Document
from responders.identity.deny_policy import IdentityPolicy, as_absent
from responders.identity.principal import Principal
from responders.identity.subject import is_key, require_editable, trusted
from responders.json_values import Json, JsonObject
from responders.locate import INSTANCE_ID
from responders.record.case import run_began
from responders.record.journal import utc


@dataclass(frozen=True)
class DenySessions(Action[Principal]):
    """A deny of all sessions of a user or role, or of those of one name."""

    session: str = ""
    """Deny only sessions of this name; empty: all, or the one that the subject names."""
    renew: bool = False
    """Whether sessions count that began since the case's first run."""
    role_is_denied: bool = False
    """Whether another step denies the role everything, new sessions included."""

    name = "deny-sessions"
    contains = True
    permissions = ()  # those of `responders.identity.deny_policy`

    def observe(self, incident: Incident[Principal]) -> Observation:
        """Policy name to its state; also of those that earlier runs of the case wrote."""
        subject = incident.subject
        names = {*incident.known, self._policy_name(incident)}
        return {n: IdentityPolicy(incident, subject, n).read_if_possible() for n in sorted(names)}

    def lacks(self, incident: Incident[Principal], observation: Observation) -> tuple[str, ...]:
        """One line, unless the policy denies at least what it should."""
        subject = incident.subject
        wanted = self._document(incident)
        state = observation.get(self._policy_name(incident)) or {}
        if deny_document.covers(state.get("document"), wanted):
            return ()
        return (
            f"sessions of {subject} issued before {utc(self._cut_off(incident))} are not denied",
        )

    def act(self, incident: Incident[Principal], observation: Observation) -> None:
        """Writes the policy."""
        subject = incident.subject
        policy = IdentityPolicy(incident, subject, self._policy_name(incident))
        if note := policy.enforce(self._document(incident)):
            incident.note(note)

    def is_own(self, incident: Incident[Principal], resource: str, state: Json) -> bool:
        """A policy that denies, under the name that a response of this case gives it."""
        return deny_document.is_deny((state or {}).get("document"))

    def undo(self, incident: Incident[Principal], before: Observation) -> None:
        """Each policy as it was: gone, where there was none."""
        incident.aws.each(
            lambda name: IdentityPolicy(incident, incident.subject, name).restore(before[name]),
            list(before),
        )

    def restored(self, before: Json, now: Json) -> bool:
        """One that could not be read before is restored when it is gone."""
        return bool(as_absent(before) == as_absent(now))

    def _policy_name(self, incident: Incident[Principal]) -> str:
        scope = incident.target if is_key(incident.target) else self._session(incident)
        return deny_document.policy_name(incident.case, scope)

    def _session(self, incident: Incident[Principal]) -> str:
        return incident.subject.session or self.session

    def _cut_off(self, incident: Incident[Principal]) -> datetime:
        if self.renew:
            return deny_document.cut_off(run_began(incident.run) + incident.aws.clock_behind)
        return deny_document.cut_off(incident.started)

    def _document(self, incident: Incident[Principal]) -> Document:
        """The policy's document. Raises Skip for a role that can't be changed; names as risks what
        the policy leaves open."""
        subject = incident.subject
        cut_off = self._cut_off(incident)
        if subject.kind == "user":
            incident.note(
                f"the policy denies all temporary credentials of {subject.name} issued before "
                f"{utc(cut_off)}, also those made with other keys"
            )
            return deny_document.sessions_before(cut_off)
        role = _described(incident, subject)
        session = self._session(incident)
        narrow = (
            deny_document.instance_sessions
            if INSTANCE_ID.fullmatch(session)
            else deny_document.named_session
        )
        wanted = deny_document.sessions_before(
            # The policy is the role's own: a pattern for any id matches no other role's sessions.
            cut_off,
            narrow(str(role.get("RoleId", "*")), session) if session else "",
        )
        if not role:
            return wanted
        require_editable(role, wanted)
        incident.note(
            f"sessions issued after {utc(cut_off)} are not denied: --renew moves that time"
        )
        if not self.role_is_denied:
            who = ", ".join(trusted(role, incident.account)) or "nobody"
            incident.risk(
                f"new sessions of role {subject.name} can be made by whom its trust policy admits: "
                f"{who} (`cordon role {subject.name} --deny-all` stops those too)"
            )
        return wanted


def _described(incident: Incident[Principal], subject: Principal) -> JsonObject:
    """The role as IAM describes it; empty, and the risk told, when it does not."""
    try:
        return principal.describe(incident.aws, subject)
    except Exception as error:
        if code_of(error) == "NoSuchEntity":
            raise
        incident.risk(
            f"who can make new sessions of role {subject.name} is not known, nor whether the role "
            f"is one whose policies bind: {explain(error)}"
        )
        return {}
