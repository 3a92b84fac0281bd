"""The role playbook: sessions revoked (all, one instance's, or those of one name), trust recorded.

The role keeps working for whom its trust policy admits; `deny_all` ends that too, until released.
"""

from __future__ import annotations

import dataclasses

from responders.action import Options
from responders.actions.deny_all import DenyAll
from responders.actions.deny_sessions import DenySessions
from responders.actions.record_identity import RecordIdentity
from responders.aws import Aws
from responders.errors import BadInput
from responders.identity import principal
from responders.identity.principal import NAME, Principal, is_own, refuse_own
from responders.locate import Located
from responders.record.case import Case
from responders.runner import Step


def locate(aws: Aws, target: str, region: str | None) -> Located:
    """Finds the role; the record's region is where the vault is: the caller's own."""
    found, _ = principal.find(aws, "role", target)
    role = Principal("role", found.name)
    account = aws.identity.account
    return Located(region or aws.home_region, str(role), account, subject=str(found))


def check(aws: Aws, located: Located, options: Options, case: Case) -> None:
    """Refuses a session name that can't be one, and the role in use."""
    subject = Principal.parse(located.subject)
    if options.session:
        if len(options.session) < 2 or not NAME.fullmatch(options.session):
            raise BadInput(
                f"{options.session!r} can't be the name of a role session",
                "Give what stands after the last slash of the session's ARN (2 to 64 letters, "
                "digits and +=,.@_-); for an instance its id.",
            )
        if subject.session not in ("", options.session):
            raise BadInput(
                f"the ARN names the session {subject.session}, and --session {options.session}",
                "Give one of them.",
            )
        subject = dataclasses.replace(subject, session=options.session)
    if options.deny_all:
        if subject.session:
            raise BadInput(
                "--deny-all denies the whole role, not one session",
                "Leave out one of the two.",
            )
    if not options.force_own_key and is_own(subject, aws.identity):
        raise refuse_own(str(subject))


def steps(options: Options) -> tuple[Step, ...]:
    """The graph, in the order in which release undoes it backwards."""
    graph = (Step(RecordIdentity()), Step(DenySessions(), recheck=True))
    return (*graph, Step(DenyAll(), recheck=True)) if options.deny_all else graph
