"""Cases of `lab.mends.revoke_rules`: what AWS does and plain moto does not."""

from __future__ import annotations

from tests.lab.mend_cases.account import Account, case, refused, scene


@case
def a_revocation_without_a_peer_is_refused(account: Account) -> None:
    made = scene(account)
    with refused("InvalidPermission.NotFound"):
        account.client("ec2").revoke_security_group_egress(
            GroupId=made.iso, IpPermissions=[{"IpProtocol": "-1"}]
        )
