"""A terminated instance has no interfaces and no profile any more, and can't be stopped or started.

Moto keeps describing its interfaces as attached. (EC2 user guide, "Terminate instances"; the API's
`IncorrectInstanceState`.)
"""

from __future__ import annotations

from typing import Any

from moto.ec2.models.instances import Instance

from lab.backends import regional
from lab.gate.answers import amend, check
from lab.gate.call import Call
from lab.gate.wire import AwsError


def mend() -> None:
    """Takes the interfaces from what is terminated; refuses to revive it."""
    _let_instances_have_no_interface()
    amend("ec2", "TerminateInstances")(_detach)
    check("ec2", "StopInstances", "StartInstances", "RebootInstances")(_check_alive)


def _let_instances_have_no_interface() -> None:
    for name in ("private_ip", "private_ip_address", "public_ip", "public_ip_address"):
        _empty_without_interface(name, None)
    _empty_without_interface("private_dns_name", "")


def _empty_without_interface(name: str, empty: str | None) -> None:
    moto: Any = getattr(Instance, name)
    setattr(Instance, name, property(lambda self: moto.fget(self) if self.nics else empty))


def _detach(call: Call, result: dict[str, Any]) -> None:
    backend = regional(call)
    for instance_id in call.params["InstanceIds"]:
        instance = backend.get_instance(instance_id)
        for nic in list(instance.nics.values()):
            instance.detach_eni(nic)
        instance.lab_launch_groups = []


def _check_alive(call: Call) -> None:
    for instance in regional(call).get_multi_instances_by_id(call.params["InstanceIds"]):
        if instance.state == "terminated":
            raise AwsError(
                "IncorrectInstanceState",
                f"The instance '{instance.id}' is not in a state from which it can be changed.",
            )
