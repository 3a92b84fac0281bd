"""Cases of `lab.mends.connection_tracking`: what AWS does and plain moto does not."""

from __future__ import annotations

from tests.lab.mend_cases.account import Account, case, refused, scene


@case
def tracking_timeouts_need_nitro(account: Account) -> None:
    made = scene(account, "t2.micro")
    with refused("InvalidParameterValue"):
        account.client("ec2").modify_network_interface_attribute(
            NetworkInterfaceId=made.interfaces[0],
            ConnectionTrackingSpecification={"TcpEstablishedTimeout": 60},
        )
