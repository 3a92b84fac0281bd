"""Branch interfaces: they hang on a trunk interface of an instance, and have groups of their own.

Containers get them (ECS, EKS). They are not attached to the instance, so they are found by their
association with the trunk (EC2 API, DescribeTrunkInterfaceAssociations), and by the tag that EKS
gives them, for the association can't be listed in every account.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Unpack

from responders.aws import explain
from responders.permissions import allow

if TYPE_CHECKING:
    from types_boto3_ec2 import EC2Client
    from types_boto3_ec2.type_defs import (
        DescribeNetworkInterfacesRequestPaginateTypeDef,
        FilterTypeDef,
        NetworkInterfaceTypeDef,
    )

PERMISSIONS = (
    allow(
        "ec2:DescribeTrunkInterfaceAssociations",
        because="finds the interfaces of containers on the instance",
    ),
)
EKS_TAG = "vpcresources.k8s.aws/trunk-eni-id"
"""On the branch interfaces of pods; the value is the trunk's id."""


def branches(
    client: EC2Client, trunk: Iterable[str]
) -> tuple[list[NetworkInterfaceTypeDef], list[str]]:
    """The branch interfaces of some trunks, and what could not be seen of them."""
    trunk_ids = sorted(trunk)
    unseen = []
    filters: list[FilterTypeDef] = [{"Name": f"tag:{EKS_TAG}", "Values": trunk_ids}]
    tagged = {str(i["NetworkInterfaceId"]): i for i in _interfaces(client, Filters=filters)}
    try:
        ids = _associated(client, trunk_ids) - set(tagged)
    except Exception as error:
        ids = set()
        unseen.append(
            f"{', '.join(trunk_ids)}: the branch interfaces of this trunk can't be listed, only "
            f"those that EKS tagged are contained: {explain(error)}"
        )
    if ids:
        others = _interfaces(client, NetworkInterfaceIds=sorted(ids))
        tagged |= {str(i["NetworkInterfaceId"]): i for i in others}
    return list(tagged.values()), unseen


def _interfaces(
    client: EC2Client, **which: Unpack[DescribeNetworkInterfacesRequestPaginateTypeDef]
) -> list[NetworkInterfaceTypeDef]:
    pages = client.get_paginator("describe_network_interfaces").paginate(**which)
    return [interface for page in pages for interface in page["NetworkInterfaces"]]


def _associated(client: EC2Client, trunk: list[str]) -> set[str]:
    pages = client.get_paginator("describe_trunk_interface_associations").paginate()
    return {
        str(association["BranchInterfaceId"])
        for page in pages
        for association in page["InterfaceAssociations"]
        if association["TrunkInterfaceId"] in trunk
    }
