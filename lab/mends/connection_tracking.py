"""An interface keeps its connection tracking timeouts, and is described with them.

Moto ignores `ConnectionTrackingSpecification`. (EC2 user guide, "Connection tracking timeouts":
TCP 60 to 432,000 s, UDP streams 60 to 180 s, UDP 30 to 60 s; only on Nitro instances.) What was
never set is not described. The setting itself is done by `interface_groups`, with the others.
"""

from __future__ import annotations

from lab.backends import regional
from lab.gate.answers import check
from lab.gate.call import Call
from lab.gate.wire import AwsError

_XEN = ("c1", "c3", "c4", "d2", "g3", "i2", "m1", "m2", "m3", "m4", "r3", "r4", "t1", "t2", "x1")
"""Instance families that are not built on Nitro."""


def mend() -> None:
    """Refuses timeouts on instances that are not built on Nitro."""
    check("ec2", "ModifyNetworkInterfaceAttribute")(_check_nitro)


def is_nitro(instance_type: str) -> bool:
    """Whether instances of this type are built on the Nitro system."""
    return instance_type.split(".")[0] not in _XEN


def _check_nitro(call: Call) -> None:
    if "ConnectionTrackingSpecification" not in call.params:
        return
    instance = regional(call).get_network_interface(call.params["NetworkInterfaceId"]).instance
    if instance is not None and not is_nitro(instance.instance_type):
        raise AwsError(
            "InvalidParameterValue",
            f"The instance type {instance.instance_type} does not support configurable connection "
            "tracking",
        )
