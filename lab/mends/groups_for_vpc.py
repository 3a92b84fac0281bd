"""The groups that interfaces of a VPC can be given: GetSecurityGroupsForVpc, which moto lacks.

(EC2 API, GetSecurityGroupsForVpc.) Groups of other VPCs that are associated with it count on AWS,
and are not modelled here.
"""

from __future__ import annotations

from typing import Any

from lab.backends import regional
from lab.gate.answers import answer
from lab.gate.call import Call


def mend() -> None:
    """Answers it, all on one page."""
    answer("ec2", "GetSecurityGroupsForVpc")(_groups)


def _groups(call: Call) -> dict[str, Any]:
    vpc = call.params["VpcId"]
    groups = regional(call).groups.get(vpc, {}).values()
    return {
        "SecurityGroupForVpcs": [
            {
                "GroupId": group.id,
                "GroupName": group.name,
                "Description": group.description,
                "OwnerId": group.owner_id,
                "PrimaryVpcId": vpc,
                "Tags": [{"Key": tag["key"], "Value": tag["value"]} for tag in group.get_tags()],
            }
            for group in groups
        ]
    }
