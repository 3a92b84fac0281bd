"""Cases of `lab.mends.groups_for_vpc`: what AWS does and plain moto does not."""

from __future__ import annotations

from tests.lab.mend_cases.account import Account, case


@case
def the_groups_that_interfaces_of_a_vpc_can_have_are_listed(account: Account) -> None:
    ec2 = account.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    group = ec2.create_security_group(GroupName="web", Description="web", VpcId=vpc)["GroupId"]
    listed = ec2.get_security_groups_for_vpc(VpcId=vpc)["SecurityGroupForVpcs"]
    assert {g["GroupName"]: g["PrimaryVpcId"] for g in listed} == {"default": vpc, "web": vpc}
    assert group in {g["GroupId"] for g in listed}
