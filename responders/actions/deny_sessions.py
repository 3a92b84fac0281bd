"""Stops sessions that were issued before a cut-off: a policy on the user or role denies them all.

The cut-off is 30 s after the first run of the case on this target began (`--renew`: this run), so
that a session refreshed meanwhile dies too. Sessions issued later are not denied.
"""

from __future__ import annotations

from datetime import datetime

from responders.action import Action, Incident, Seen
from responders.identity import deny_document, principal
from responders.identity.deny_document import Document
from responders.identity.deny_policy import IdentityPolicy
from responders.identity.principal import Principal
from responders.identity.subject import is_key, require_editable, subject_of, trusted
from responders.locate import INSTANCE_ID
from responders.record.case import run_began
from responders.record.journal import utc


class DenySessions(Action):
    """A deny of all sessions of a user or role, or of those of one name."""

    name = "deny-sessions"
    contains = True
    permissions = ()  # those of `responders.identity.deny_policy`

    def observe(self, incident: Incident) -> Seen:
        """Policy name to its state; also of those that earlier runs of the case wrote."""
        subject = subject_of(incident)
        names = {*incident.known, _policy_name(incident, subject)}
        return {n: IdentityPolicy(incident, subject, n).read() for n in sorted(names)}

    def lacks(self, incident: Incident, seen: Seen) -> tuple[str, ...]:
        """One line, unless the policy denies at least what it should."""
        subject = subject_of(incident)
        wanted = _wanted(incident, subject)
        state = seen.get(_policy_name(incident, subject)) or {}
        if deny_document.covers(state.get("document"), wanted):
            return ()
        return (f"sessions of {subject} issued before {utc(_cut_off(incident))} are not denied",)

    def act(self, incident: Incident, seen: Seen) -> None:
        """Writes the policy."""
        subject = subject_of(incident)
        policy = IdentityPolicy(incident, subject, _policy_name(incident, subject))
        if note := policy.enforce(_wanted(incident, subject)):
            incident.note(note)

    def undo(self, incident: Incident, before: Seen) -> None:
        """Each policy as it was: gone, where there was none."""
        for name, state in before.items():
            IdentityPolicy(incident, subject_of(incident), name).restore(state)


def _policy_name(incident: Incident, subject: Principal) -> str:
    scope = incident.target if is_key(incident.target) else _session(incident, subject)
    return deny_document.policy_name(incident.case, scope)


def _session(incident: Incident, subject: Principal) -> str:
    return subject.session or incident.options.session


def _cut_off(incident: Incident) -> datetime:
    if incident.options.renew:
        return deny_document.cut_off(run_began(incident.run) + incident.aws.clock_behind)
    return deny_document.cut_off(incident.started)


def _wanted(incident: Incident, subject: Principal) -> Document:
    """The policy's document. Raises Skip for a role that can't be changed; tells what it leaves."""
    cut_off = _cut_off(incident)
    if subject.kind == "user":
        incident.note(
            f"the policy denies all temporary credentials of {subject.name} issued before "
            f"{utc(cut_off)}, also those made with other keys"
        )
        return deny_document.sessions_before(cut_off)
    role = principal.describe(incident.aws, subject)
    session = _session(incident, subject)
    narrow = (
        deny_document.instance_sessions
        if INSTANCE_ID.fullmatch(session)
        else deny_document.named_session
    )
    wanted = deny_document.sessions_before(
        cut_off, narrow(str(role["RoleId"]), session) if session else ""
    )
    require_editable(role, wanted)
    incident.note(f"sessions issued after {utc(cut_off)} are not denied: --renew moves that time")
    if not incident.options.deny_all:
        who = ", ".join(trusted(role, incident.account)) or "nobody"
        incident.risk(
            f"new sessions of role {subject.name} can be made by whom its trust policy admits: "
            f"{who} (`cordon role {subject.name} --deny-all` stops those too)"
        )
    return wanted
