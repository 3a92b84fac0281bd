"""The role with which EC2 writes flow logs, one per account."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pulumi

from components.forensic_vpc import LOG_GROUP_PREFIX
from components.iam import Deployment, Statement, service_trust
from components.service_roles import service_role
from contract import Purpose, kit_tags

ROLE = "cordon-flow-logs"


@dataclass(frozen=True)
class FlowLogRoleArgs:
    """`boundary`: ARN of a policy that bounds the role, or empty."""

    deployment: Deployment
    boundary: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)


class FlowLogRole(pulumi.ComponentResource):
    """The role; `arn` is its ARN."""

    def __init__(
        self, name: str, args: FlowLogRoleArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("cordon:components:FlowLogRole", name, {}, opts)
        role = service_role(
            name,
            ROLE,
            service_trust("vpc-flow-logs.amazonaws.com", args.deployment.account),
            [_write(args.deployment), _LIST],
            kit_tags(Purpose.ROLE, args.tags),
            self,
            description="Cordon: writes the flow logs of forensic VPCs",
            boundary=args.boundary or None,
        )
        self.arn = role.arn
        self.register_outputs({"arn": self.arn})


_LIST: Statement = {"Effect": "Allow", "Action": "logs:DescribeLogGroups", "Resource": "*"}
"""A list of all groups: the action knows no resources."""


def _write(deployment: Deployment) -> Statement:
    groups = f"arn:{deployment.partition}:logs:*:{deployment.account}:log-group:{LOG_GROUP_PREFIX}*"
    return {
        "Effect": "Allow",
        "Action": [
            "logs:CreateLogStream",
            "logs:DescribeLogStreams",
            "logs:PutLogEvents",
        ],
        "Resource": [groups, f"{groups}:*"],
    }
