"""Instance profiles for an isolated instance, in place of its own.

`dark` denies everything, `channel` admits Systems Manager and nothing else. Each role's permission
boundary is the same policy as its own: whatever somebody attaches later adds nothing. Where the
organization demands a boundary of its own, that one takes its place.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from components.iam import Deployment, Statement, document
from components.service_roles import channel_statement, instance_trust, service_role
from contract import CHANNEL_PROFILE, DARK_PROFILE, IAM_PATH, Purpose, kit_tags

PROFILES: dict[str, tuple[str, Statement]] = {
    "dark": (DARK_PROFILE, {"Effect": "Deny", "Action": "*", "Resource": "*"}),
    "channel": (CHANNEL_PROFILE, channel_statement()),
}


@dataclass(frozen=True)
class IsolatedProfilesArgs:
    """`boundary`: ARN of a policy that must bound every role, or empty."""

    deployment: Deployment
    boundary: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


class IsolatedProfiles(pulumi.ComponentResource):
    """`profiles`: `dark` and `channel` to the profile's name."""

    def __init__(
        self, name: str, args: IsolatedProfilesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("cordon:components:IsolatedProfiles", name, {}, opts)
        self._name, self._args = name, args
        self.profiles = {kind: self._profile(kind) for kind in PROFILES}
        self.register_outputs({"profiles": self.profiles})

    def _profile(self, kind: str) -> pulumi.Output[str]:
        profile, statement = PROFILES[kind]
        tags = kit_tags(Purpose.ROLE, self._args.tags)
        child = pulumi.ResourceOptions(parent=self)
        role = service_role(
            f"{self._name}-{kind}",
            profile,
            instance_trust(self._args.deployment),
            [statement],
            tags,
            self,
            description="Cordon: an isolated instance",
            boundary=self._args.boundary or self._boundary(kind, profile, statement, tags),
        )
        return aws.iam.InstanceProfile(
            f"{self._name}-{kind}-profile",
            name=profile,
            path=IAM_PATH,
            role=role.name,
            tags=tags,
            opts=child,
        ).name

    def _boundary(
        self, kind: str, profile: str, statement: Statement, tags: Mapping[str, str]
    ) -> pulumi.Output[str]:
        return aws.iam.Policy(
            f"{self._name}-{kind}-boundary",
            name=f"{profile}-boundary",
            path=IAM_PATH,
            description="Cordon: the most that an isolated instance can ever do",
            policy=document([statement]),
            tags=tags,
            opts=pulumi.ResourceOptions(parent=self),
        ).arn
