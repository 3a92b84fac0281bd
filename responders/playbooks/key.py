"""The key playbook: the key inactive, the sessions minted with it denied, its owner on record.

With `delete` it is a later step of its own: only the deletion, of a key that this case made
inactive and whose record is in the vault.
"""

from __future__ import annotations

from dataclasses import dataclass

from responders.actions.deactivate_keys import DeactivateKeys
from responders.actions.delete_key import DeleteKey
from responders.actions.deny_sessions import DenySessions
from responders.actions.record_identity import RecordIdentity
from responders.actions.verify_preparation import VerifyPreparation
from responders.aws import Aws
from responders.errors import BadInput
from responders.graph import Step
from responders.identity import key_deletion
from responders.identity.identity_playbook import IdentityPlaybook
from responders.identity.key_owner import check_key_id, keys_if_known, keys_of, owner
from responders.identity.principal import Principal, is_own, refuse_own
from responders.identity.subject import is_temporary
from responders.locate import Located
from responders.playbook import Options
from responders.record.case import Case


@dataclass(frozen=True)
class KeyOptions(Options):
    """`all_keys`: the user's other keys too. `delete`: only delete the key, for good.

    `renew`: deny also sessions that began since the case's first run. `force_own_key`: even if it
    is what the caller works with.
    """

    all_keys: bool = False
    delete: bool = False
    renew: bool = False
    force_own_key: bool = False


class KeyPlaybook(IdentityPlaybook[KeyOptions]):
    """An access key: the target is its id, the subject its owner."""

    options = KeyOptions

    def locate(self, aws: Aws, target: str, region: str | None) -> Located[Principal]:
        """Finds who owns the key; its record's region is where the vault is: the caller's own."""
        key = check_key_id(target)
        subject = owner(aws, key)
        caller = aws.identity_soon()
        return Located(region or aws.home_region, key, subject, caller.account if caller else "")

    def check(self, aws: Aws, located: Located[Principal], options: KeyOptions, case: Case) -> None:
        """Refuses the key in use, and a deletion that is too early."""
        if not options.force_own_key:
            _refuse_own_keys(aws, located, options)
        if options.delete:
            _refuse_early_deletion(aws, located, case)

    def steps(self, options: KeyOptions) -> tuple[Step[Principal], ...]:
        """The deletion stands alone: it is judged, and released, by itself."""
        if options.delete:
            return (Step(DeleteKey()),)
        return (
            Step(RecordIdentity()),
            Step(VerifyPreparation()),
            Step(DeactivateKeys(all_keys=options.all_keys), recheck=True),
            Step(DenySessions(renew=options.renew), recheck=True),
        )


def _refuse_own_keys(aws: Aws, located: Located[Principal], options: KeyOptions) -> None:
    key, subject = located.target, located.subject
    affected = {key}
    if options.all_keys and subject.kind == "user":
        affected |= keys_if_known(aws, subject.name)
    for own in sorted(affected & aws.key_ids):
        raise refuse_own(own)
    if is_own(subject, aws.identity_soon()):
        raise refuse_own(f"{subject}, the owner of {key},")


def _refuse_early_deletion(aws: Aws, located: Located[Principal], case: Case) -> None:
    key = located.target
    if is_temporary(key):
        raise BadInput(f"{key} is temporary: it ends by itself", "Leave out --delete.")
    status = keys_of(aws, located.subject.name).get(key)
    if status is None:
        return  # a run that deleted it and died is gone on with
    if obstacle := key_deletion.obstacle(aws, case, key, status, located.region):
        raise BadInput(
            f"{obstacle}; nothing was touched",
            f"First `cordon key {key} --case {case.id}`, then `cordon case sync --case {case.id}`, "
            "then --delete.",
        )


PLAYBOOK = KeyPlaybook()
