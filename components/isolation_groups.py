"""The two security groups that every VPC needs before an incident: `isolate` and `untrack`.

Found by tag, not by name, and used only with exactly these rules; so the rules are inline and
both lists are always given: what somebody adds by hand is drift that the next `up` removes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

import pulumi
import pulumi_aws as aws

from contract import GROUP_DESCRIPTIONS, GROUP_NAMES, Purpose, Rule, group_rules, kit_tags


@dataclass(frozen=True)
class IsolationGroupsArgs:
    """The VPCs of one region. A key of `vpcs` is part of resource names: keep it for ever."""

    region: str
    vpcs: Mapping[str, pulumi.Input[str]]
    responder_cidrs: Sequence[str] = ()
    tags: Mapping[str, str] = field(default_factory=dict)


class IsolationGroups(pulumi.ComponentResource):
    """Both groups in each VPC of a region. `isolate`, `untrack`: key of the VPC to group id."""

    def __init__(
        self, name: str, args: IsolationGroupsArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        props = {"region": args.region, "vpcs": dict(args.vpcs)}
        super().__init__("cordon:components:IsolationGroups", name, props, opts)
        self._name, self._args = name, args
        self.isolate = {key: self._group(key, Purpose.ISOLATE).id for key in sorted(args.vpcs)}
        self.untrack = {key: self._group(key, Purpose.UNTRACK).id for key in sorted(args.vpcs)}
        self.register_outputs({"isolate": self.isolate, "untrack": self.untrack})

    def _group(self, key: str, purpose: Purpose) -> aws.ec2.SecurityGroup:
        rules = group_rules(purpose, self._args.responder_cidrs)
        return aws.ec2.SecurityGroup(
            f"{self._name}-{key}-{purpose}",
            region=self._args.region,
            vpc_id=self._args.vpcs[key],
            name=GROUP_NAMES[purpose],
            description=GROUP_DESCRIPTIONS[purpose],
            ingress=[
                aws.ec2.SecurityGroupIngressArgs(
                    protocol=protocol,
                    from_port=low,
                    to_port=high,
                    cidr_blocks=_of_family(peers, 4),
                    ipv6_cidr_blocks=_of_family(peers, 6),
                )
                for (protocol, low, high), peers in _by_ports(rules.ingress)
            ],
            egress=[
                aws.ec2.SecurityGroupEgressArgs(
                    protocol=protocol,
                    from_port=low,
                    to_port=high,
                    cidr_blocks=_of_family(peers, 4),
                    ipv6_cidr_blocks=_of_family(peers, 6),
                )
                for (protocol, low, high), peers in _by_ports(rules.egress)
            ],
            tags={**kit_tags(purpose, self._args.tags), "Name": GROUP_NAMES[purpose]},
            opts=pulumi.ResourceOptions(
                parent=self,
                # EC2 refuses to delete a group in use; without this the provider asks for 15 min.
                # No `revoke_rules_on_delete`: it reads the group first, so `up` would fail for ever
                # once the VPC's owner has deleted it, and it would strip the rules of a group that
                # an isolated instance still wears before the deletion is refused.
                custom_timeouts=pulumi.CustomTimeouts(delete="2m"),
            ),
        )


def _by_ports(rules: Sequence[Rule]) -> list[tuple[tuple[str, int, int], list[str]]]:
    """Rules as the provider wants them: all peers of the same protocol and ports together."""

    def ports(rule: Rule) -> tuple[str, int, int]:
        return (rule.protocol, rule.from_port, rule.to_port)

    return [(key, [r.peer for r in group]) for key, group in groupby(sorted(rules), key=ports)]


def _of_family(peers: Sequence[str], version: int) -> list[str]:
    return [peer for peer in peers if (":" in peer) == (version == 6)]
