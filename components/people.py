"""Roles that people assume."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from components.iam import Deployment, people_trust
from contract import IAM_PATH


@dataclass(frozen=True)
class PeopleRole:
    """Who may assume a role, and how. `hours`: the longest session, 1 to 12."""

    deployment: Deployment
    principals: tuple[str, ...]
    require_mfa: bool = True
    external_id: str = field(default="", repr=False)
    boundary: str = ""
    hours: int = 4

    def trust(self) -> pulumi.Input[str]:
        """The trust policy; a secret when it holds an external id."""
        text = people_trust(
            self.deployment,
            self.principals,
            require_mfa=self.require_mfa,
            external_id=self.external_id,
        )
        shown = not self.external_id or self.external_id not in text
        return text if shown else pulumi.Output.secret(text)


def people_role(
    name: str,
    role: str,
    description: str,
    people: PeopleRole,
    tags: Mapping[str, str],
    parent: pulumi.Resource,
) -> aws.iam.Role:
    """Declares `role` under the kit's path, as `<name>-role`."""
    return aws.iam.Role(
        f"{name}-role",
        name=role,
        path=IAM_PATH,
        description=description,
        assume_role_policy=people.trust(),
        max_session_duration=people.hours * 3600,
        permissions_boundary=people.boundary or None,
        tags=tags,
        opts=pulumi.ResourceOptions(parent=parent),
    )
