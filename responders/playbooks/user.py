"""The user playbook: everything denied, all credentials inactive, nothing destroyed.

A console password can't be made inactive, only deleted for good. The deny makes it useless;
`delete_login` deletes it.
"""

from __future__ import annotations

from dataclasses import dataclass

from responders.actions.deactivate_credentials import DeactivateCredentials
from responders.actions.deactivate_keys import DeactivateKeys
from responders.actions.deny_all import DenyAll
from responders.actions.drop_login import DropLogin
from responders.actions.record_identity import RecordIdentity
from responders.actions.verify_preparation import VerifyPreparation
from responders.aws import Aws
from responders.graph import Step
from responders.identity import principal
from responders.identity.identity_playbook import IdentityPlaybook
from responders.identity.key_owner import keys_if_known
from responders.identity.principal import Principal, is_own, refuse_own
from responders.locate import Located
from responders.playbook import Options
from responders.record.case import Case


@dataclass(frozen=True)
class UserOptions(Options):
    """`delete_login`: delete the console password. `force_own_key`: even if it is the caller's."""

    delete_login: bool = False
    force_own_key: bool = False


class UserPlaybook(IdentityPlaybook[UserOptions]):
    """A user of IAM."""

    options = UserOptions

    def locate(self, aws: Aws, target: str, region: str | None) -> Located[Principal]:
        """Finds the user; the record's region is where the vault is: the caller's own."""
        user, described = principal.find(aws, "user", target)
        account = principal.account_of(aws, described)
        return Located(region or aws.home_region, str(user), user, account)

    def check(
        self, aws: Aws, located: Located[Principal], options: UserOptions, case: Case
    ) -> None:
        """Refuses the user whose credentials are in use."""
        user = located.subject
        if options.force_own_key:
            return
        if is_own(user, aws.identity_soon()) or keys_if_known(aws, user.name) & aws.key_ids:
            raise refuse_own(str(user))

    def steps(self, options: UserOptions) -> tuple[Step[Principal], ...]:
        """The password goes only once the user is recorded: nobody can bring it back."""
        graph = (
            Step(RecordIdentity()),
            Step(VerifyPreparation()),
            Step(DeactivateKeys(), recheck=True),
            Step(DeactivateCredentials()),
            Step(DenyAll(), recheck=True),
        )
        if options.delete_login:
            return (*graph, Step(DropLogin(), after={RecordIdentity: None}))
        return graph


PLAYBOOK = UserPlaybook()
