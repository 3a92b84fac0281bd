"""What AWS says of an instance type: its processors, memory and disks."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from types_boto3_ec2 import EC2Client
    from types_boto3_ec2.literals import InstanceTypeType
    from types_boto3_ec2.type_defs import InstanceTypeInfoTypeDef


def instance_type(ec2: EC2Client, name: str) -> InstanceTypeInfoTypeDef:
    """The instance type as the region describes it; AWS's InvalidInstanceType if it has none."""
    # The stubs list the types of their day; AWS adds new ones every month.
    answer = ec2.describe_instance_types(InstanceTypes=[cast("InstanceTypeType", name)])
    return answer["InstanceTypes"][0]
