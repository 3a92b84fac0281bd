"""Cases of `lab.mends.group_deletion`: what AWS does and plain moto does not."""

from __future__ import annotations

from tests.lab.mend_cases.account import Account, case, refused, scene


@case
def a_group_in_use_is_not_deleted(account: Account) -> None:
    made = scene(account)
    ec2 = account.client("ec2")
    for group in (made.app, made.db):
        with refused("DependencyViolation"):
            ec2.delete_security_group(GroupId=group)
    ec2.delete_security_group(GroupId=made.iso)


@case
def a_group_that_a_rule_names_is_not_deleted(account: Account) -> None:
    made = scene(account)
    ec2 = account.client("ec2")
    ec2.authorize_security_group_ingress(
        GroupId=made.app,
        IpPermissions=[{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": made.iso}]}],
    )
    with refused("DependencyViolation"):
        ec2.delete_security_group(GroupId=made.iso)


@case
def a_vpc_with_groups_is_not_deleted(account: Account) -> None:
    ec2 = account.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    group = ec2.create_security_group(GroupName="iso", Description="iso", VpcId=vpc)["GroupId"]
    with refused("DependencyViolation"):
        ec2.delete_vpc(VpcId=vpc)
    ec2.delete_security_group(GroupId=group)
    ec2.delete_vpc(VpcId=vpc)


@case
def a_subnet_in_use_is_not_deleted(account: Account) -> None:
    made = scene(account)
    with refused("DependencyViolation"):
        account.client("ec2").delete_subnet(SubnetId=made.subnet)
