"""The key playbook: the key inactive, the sessions minted with it denied, its owner on record.

With `delete` it is a later step of its own: only the deletion, of a key that this case made
inactive and whose record is in the vault.
"""

from __future__ import annotations

from responders.action import Options
from responders.actions.deactivate_keys import DeactivateKeys
from responders.actions.delete_key import DeleteKey
from responders.actions.deny_sessions import DenySessions
from responders.actions.record_identity import RecordIdentity
from responders.aws import Aws
from responders.errors import BadInput
from responders.identity import key_deletion
from responders.identity.key_owner import check_key_id, keys_of, owner
from responders.identity.principal import Principal, is_own, refuse_own
from responders.identity.subject import is_temporary
from responders.locate import Located
from responders.record.case import Case
from responders.runner import Step


def locate(aws: Aws, target: str, region: str | None) -> Located:
    """Finds who owns the key; its record's region is where the vault is: the caller's own."""
    key = check_key_id(target)
    subject = owner(aws, key)
    return Located(region or aws.home_region, key, aws.identity.account, subject=str(subject))


def check(aws: Aws, located: Located, options: Options, case: Case) -> None:
    """Refuses the key in use, and a deletion that is too early."""
    key, subject = located.target, Principal.parse(located.subject)
    if not options.force_own_key:
        affected = {key}
        if options.all_keys and subject.kind == "user":
            affected |= set(keys_of(aws, subject.name))
        for own in sorted(affected & aws.key_ids):
            raise refuse_own(own)
        if is_own(subject, aws.identity):
            raise refuse_own(f"{subject}, the owner of {key},")
    if not options.delete:
        return
    if is_temporary(key):
        raise BadInput(f"{key} is temporary: it ends by itself", "Leave out --delete.")
    status = keys_of(aws, subject.name).get(key)
    if status is None:
        return  # a run that deleted it and died is gone on with
    if obstacle := key_deletion.obstacle(aws, case, key, status, located.region):
        raise BadInput(
            f"{obstacle}; nothing was touched",
            f"First `cordon key {key} --case {case.id}`, then `cordon case sync --case {case.id}`, "
            "then --delete.",
        )


def steps(options: Options) -> tuple[Step, ...]:
    """The graph, in the order in which release undoes it backwards."""
    if options.delete:
        return (Step(DeleteKey()),)
    return (
        Step(RecordIdentity()),
        Step(DeactivateKeys(), recheck=True),
        Step(DenySessions(), recheck=True),
    )
