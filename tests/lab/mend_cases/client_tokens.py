"""Cases of `lab.mends.client_tokens`: what AWS does and plain moto does not."""

from __future__ import annotations

from tests.lab.mend_cases.account import REGION, Account, case, refused


@case
def the_same_token_is_carried_out_once(account: Account) -> None:
    ec2 = account.client("ec2")
    wanted = {"AvailabilityZone": f"{REGION}a", "Size": 1, "ClientToken": "example"}
    first, second = (ec2.create_volume(**wanted)["VolumeId"] for _ in range(2))
    assert first == second
    assert len(ec2.describe_volumes()["Volumes"]) == 1
    with refused("IdempotentParameterMismatch"):
        ec2.create_volume(**{**wanted, "Size": 2})
