"""A security group in use can't be deleted, nor a VPC that still has something in it.

EC2 API, DeleteSecurityGroup: `DependencyViolation` while an interface uses the group or a rule of
another group names it; `CannotDelete` for a default group. DeleteVpc: `DependencyViolation` while
the VPC has groups other than its default one, interfaces, endpoints or gateways.
"""

from __future__ import annotations

from itertools import chain
from typing import Any

from lab.backends import regional
from lab.gate.answers import check
from lab.gate.call import Call
from lab.gate.wire import AwsError


def mend() -> None:
    """Refuses what AWS refuses."""
    check("ec2", "DeleteSecurityGroup")(_check_group)
    check("ec2", "DeleteVpc")(_check_vpc)
    check("ec2", "DeleteSubnet")(_check_subnet)


def _check_group(call: Call) -> None:
    backend = regional(call)
    name = call.params.get("GroupId") or call.params.get("GroupName")
    group = backend.get_security_group_by_name_or_id(name)
    if group is None:
        return
    if group.is_default:
        raise AwsError(
            "CannotDelete", f'the specified group: "{group.id}" name: "default" cannot be deleted'
        )
    if _interfaces(backend, group) or _referrers(backend, group):
        raise AwsError("DependencyViolation", f"resource {group.id} has a dependent object")


def _interfaces(backend: Any, group: Any) -> list[Any]:
    return [eni for eni in backend.enis.values() if group.id in {g.id for g in eni.group_set}]


def _referrers(backend: Any, group: Any) -> list[Any]:
    others = chain.from_iterable(groups.values() for groups in backend.groups.values())
    return [
        other
        for other in others
        if other.id != group.id
        and any(
            rule.source_group and rule.source_group.get("GroupId") == group.id
            for rule in [*other.ingress_rules, *other.egress_rules]
        )
    ]


def _check_vpc(call: Call) -> None:
    backend = regional(call)
    vpc_id = call.params["VpcId"]
    left = (
        [g for g in backend.groups.get(vpc_id, {}).values() if not g.is_default]
        + [eni for eni in backend.enis.values() if eni.vpc_id == vpc_id]
        + [
            e
            for e in backend.vpc_end_points.values()
            if e.vpc_id == vpc_id and e.state != "deleted"
        ]
        + [g for g in backend.internet_gateways.values() if g.vpc and g.vpc.id == vpc_id]
    )
    if left:
        raise AwsError(
            "DependencyViolation", f"The vpc '{vpc_id}' has dependencies and cannot be deleted."
        )


def _check_subnet(call: Call) -> None:
    subnet_id = call.params["SubnetId"]
    if any(eni.subnet_id == subnet_id for eni in regional(call).enis.values()):
        raise AwsError(
            "DependencyViolation",
            f"The subnet '{subnet_id}' has dependencies and cannot be deleted.",
        )
