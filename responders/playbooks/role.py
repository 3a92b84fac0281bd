"""The role playbook: sessions revoked (all, one instance's, or those of one name), trust recorded.

The role keeps working for whom its trust policy admits; `deny_all` ends that too, until released.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

from responders.actions.deny_all import DenyAll
from responders.actions.deny_sessions import DenySessions
from responders.actions.record_identity import RecordIdentity
from responders.actions.verify_preparation import VerifyPreparation
from responders.aws import Aws
from responders.errors import BadInput
from responders.graph import Step
from responders.identity import principal
from responders.identity.identity_playbook import IdentityPlaybook
from responders.identity.principal import NAME, Principal, is_own, refuse_own
from responders.locate import Located
from responders.playbook import Options
from responders.record.case import Case


@dataclass(frozen=True)
class RoleOptions(Options):
    """`session`: revoke only sessions of this name; empty: all. `deny_all`: the whole role.

    `renew`: also sessions that began since the case's first run. `force_own_key`: even if it is
    the caller's own role.
    """

    session: str = ""
    deny_all: bool = False
    renew: bool = False
    force_own_key: bool = False


class RolePlaybook(IdentityPlaybook[RoleOptions]):
    """A role of IAM, or its sessions of one name."""

    options = RoleOptions

    def locate(self, aws: Aws, target: str, region: str | None) -> Located[Principal]:
        """Finds the role; the record's region is where the vault is: the caller's own."""
        subject, described = principal.find(aws, "role", target)
        role = str(Principal("role", subject.name))
        account = principal.account_of(aws, described)
        return Located(region or aws.home_region, role, subject, account)

    def check(
        self, aws: Aws, located: Located[Principal], options: RoleOptions, case: Case
    ) -> None:
        """Refuses a session name that can't be one, and the role in use."""
        subject = located.subject
        if options.session:
            _check_session(subject, options.session)
            subject = dataclasses.replace(subject, session=options.session)
        if options.deny_all and subject.session:
            raise BadInput(
                "--deny-all denies the whole role, not one session",
                "Leave out one of the two.",
            )
        if not options.force_own_key and is_own(subject, aws.identity_soon()):
            raise refuse_own(str(subject))

    def steps(self, options: RoleOptions) -> tuple[Step[Principal], ...]:
        """The sessions are denied by a policy of their own, so that each is released by itself."""
        sessions = DenySessions(
            session=options.session, renew=options.renew, role_is_denied=options.deny_all
        )
        graph = (
            Step(RecordIdentity()),
            Step(VerifyPreparation()),
            Step(sessions, recheck=True),
        )
        return (*graph, Step(DenyAll(), recheck=True)) if options.deny_all else graph


def _check_session(subject: Principal, session: str) -> None:
    if len(session) < 2 or not NAME.fullmatch(session):
        raise BadInput(
            f"{session!r} can't be the name of a role session",
            "Give what stands after the last slash of the session's ARN (2 to 64 letters, "
            "digits and +=,.@_-); for an instance its id.",
        )
    if subject.session not in ("", session):
        raise BadInput(
            f"the ARN names the session {subject.session}, and --session {session}",
            "Give one of them.",
        )


PLAYBOOK = RolePlaybook()
