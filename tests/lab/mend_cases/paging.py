"""Cases of `lab.mends.paging`: what AWS does and plain moto does not."""

from __future__ import annotations

from tests.lab.mend_cases.account import Account, case


@case
def long_lists_come_in_pages(account: Account) -> None:
    iam, ec2 = account.client("iam"), account.client("ec2")
    for n in range(101):
        iam.create_user(UserName=f"user-{n:03}")
    first = iam.list_users()
    assert (len(first["Users"]), first["IsTruncated"]) == (100, True)
    second = iam.list_users(Marker=first["Marker"])
    assert [u["UserName"] for u in second["Users"]] == ["user-100"]
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    for n in range(6):
        ec2.create_security_group(GroupName=f"g{n}", Description="d", VpcId=vpc)
    pages = ec2.get_paginator("describe_security_groups").paginate(PaginationConfig={"PageSize": 5})
    assert [len(p["SecurityGroups"]) for p in pages] == [5, 3]
