"""What the playbooks of identities (key, user, role) have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from responders.aws import Aws
from responders.identity.principal import Principal
from responders.identity.subject import is_key
from responders.locate import Located
from responders.playbook import Options, Playbook

OptionsT = TypeVar("OptionsT", bound=Options)


ARN = "arn:aws:iam::ACCOUNT:{kind}/PATH/{name}"
"""What to give for an ARN that IAM did not tell; its path can't be guessed."""


class IdentityPlaybook(Playbook[Principal, OptionsT]):
    """A response to a user or a role, or to a key of theirs."""

    is_released = True

    def recorded(self, aws: Aws, begin: Mapping[str, Any]) -> Located[Principal]:
        """The identity as the run found it then; it may have another key, or be gone, by now."""
        subject = Principal.parse(str(begin["subject"]))
        return Located(str(begin["region"]), str(begin["target"]), subject, str(begin["account"]))

    def hunt_command(self, located: Located[Principal], options: OptionsT) -> str:
        """By the key where that is the target: a hunt by its owner has the owner's own work too."""
        if is_key(located.target):
            return f"cordon hunt --key {located.target}"
        subject = located.subject
        arn = subject.arn or ARN.format(kind=subject.kind, name=subject.name)
        return f"cordon hunt --principal {arn}"
