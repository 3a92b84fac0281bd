"""The user playbook: everything denied, all credentials inactive, nothing destroyed.

A console password can't be made inactive, only deleted for good. The deny makes it useless;
`delete_login` deletes it.
"""

from __future__ import annotations

from responders.action import Options
from responders.actions.deactivate_credentials import DeactivateCredentials
from responders.actions.deactivate_keys import DeactivateKeys
from responders.actions.deny_all import DenyAll
from responders.actions.drop_login import DropLogin
from responders.actions.record_identity import RecordIdentity
from responders.aws import Aws
from responders.identity import principal
from responders.identity.key_owner import keys_of
from responders.identity.principal import Principal, is_own, refuse_own
from responders.locate import Located
from responders.record.case import Case
from responders.runner import Step


def locate(aws: Aws, target: str, region: str | None) -> Located:
    """Finds the user; the record's region is where the vault is: the caller's own."""
    found, _ = principal.find(aws, "user", target)
    account = aws.identity.account
    return Located(region or aws.home_region, str(found), account, subject=str(found))


def check(aws: Aws, located: Located, options: Options, case: Case) -> None:
    """Refuses the user whose credentials are in use."""
    user = Principal.parse(located.subject)
    if options.force_own_key:
        return
    if is_own(user, aws.identity) or set(keys_of(aws, user.name)) & aws.key_ids:
        raise refuse_own(str(user))


def steps(options: Options) -> tuple[Step, ...]:
    """The graph, in the order in which release undoes it backwards."""
    graph = (
        Step(RecordIdentity()),
        Step(DeactivateKeys(), recheck=True),
        Step(DeactivateCredentials()),
        Step(DenyAll(), recheck=True),
    )
    if options.delete_login:
        return (*graph, Step(DropLogin(), after={"record-identity": None}))
    return graph
