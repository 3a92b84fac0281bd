"""Every network interface has its own security groups, and an instance those of its first.

Moto describes the union of the interface's and the instance's. AWS: a group must exist and be of
the interface's VPC, at least one is given, at most five (EC2 API, ModifyNetworkInterfaceAttribute;
VPC quotas), and one call sets one attribute.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.ec2.models.instances import Instance

from lab.backends import regional
from lab.gate.answers import answer, check
from lab.gate.call import Call
from lab.gate.wire import AwsError

MOST_GROUPS = 5
"""Groups of an interface; the default quota."""

_ATTRIBUTES = (
    "Groups",
    "Description",
    "SourceDestCheck",
    "Attachment",
    "ConnectionTrackingSpecification",
    "AssociatePublicIpAddress",
    "EnaSrdSpecification",
    "EnablePrimaryIpv6",
)


def mend() -> None:
    """Gives interfaces their own list and sets it by AWS's rules."""
    interface: Any = NetworkInterface
    interface.group_set = property(lambda self: self._group_set)
    instance: Any = Instance
    instance.security_groups = property(_groups_of_instance, _launch_with_groups)
    answer("ec2", "ModifyNetworkInterfaceAttribute")(_modify)
    check("ec2", "CreateNetworkInterface")(_check_new)
    check("ec2", "RunInstances")(_check_launch)


def usable_groups(backend: Any, group_ids: list[str], vpc_id: str) -> list[Any]:
    """The groups of these ids; AwsError when one of them can't be on an interface in the VPC."""
    if len(group_ids) > MOST_GROUPS:
        raise AwsError(
            "SecurityGroupsPerInterfaceLimitExceeded",
            f"The maximum number of security groups per interface is {MOST_GROUPS}.",
        )
    groups = [backend.get_security_group_from_id(group_id) for group_id in group_ids]
    for group_id, group in zip(group_ids, groups, strict=True):
        if group is None:
            raise AwsError(
                "InvalidGroup.NotFound", f"The security group '{group_id}' does not exist"
            )
        if group.vpc_id != vpc_id:
            raise AwsError(
                "InvalidGroup.NotFound",
                f"You have specified two resources that belong to different networks: '{group_id}'",
            )
    return groups


def _groups_of_instance(instance: Any) -> list[Any]:
    nics = getattr(instance, "nics", {})
    return list(nics[0].group_set if 0 in nics else instance.lab_launch_groups)


def _launch_with_groups(instance: Any, groups: list[Any]) -> None:
    instance.lab_launch_groups = groups
    nics = getattr(instance, "nics", {})
    if 0 in nics:
        nics[0]._group_set = groups


def _modify(call: Call) -> dict[str, Any]:
    backend = regional(call)
    interface = backend.get_network_interface(call.params["NetworkInterfaceId"])
    attributes = [name for name in _ATTRIBUTES if name in call.params]
    if not attributes:
        raise AwsError("InvalidParameterCombination", "No attributes specified.")
    if len(attributes) > 1:
        names = ", ".join(attributes)
        raise AwsError(
            "InvalidParameterCombination",
            f"Fields for multiple attribute types specified: {names}",
        )
    _SET[attributes[0]](backend, interface, call.params[attributes[0]])
    return {}


def _set_groups(backend: Any, interface: Any, value: list[str]) -> None:
    interface._group_set = usable_groups(backend, list(value), interface.vpc_id)


def _set_description(backend: Any, interface: Any, value: dict[str, str]) -> None:
    interface.description = value["Value"]


def _set_source_dest_check(backend: Any, interface: Any, value: dict[str, bool]) -> None:
    interface.source_dest_check = value["Value"]


def _set_attachment(backend: Any, interface: Any, value: dict[str, Any]) -> None:
    if value.get("AttachmentId") != interface.attachment_id:
        raise AwsError(
            "InvalidAttachmentID.NotFound",
            f"The attachment '{value.get('AttachmentId')}' does not exist",
        )
    interface.delete_on_termination = value["DeleteOnTermination"]


def _set_public_address(backend: Any, interface: Any, value: bool) -> None:
    interface.public_ip_auto_assign = value
    interface.public_ip = None
    interface.check_auto_public_ip()


def _set_connection_tracking(backend: Any, interface: Any, value: dict[str, int]) -> None:
    limits = {
        "TcpEstablishedTimeout": (60, 432_000),
        "UdpStreamTimeout": (60, 180),
        "UdpTimeout": (30, 60),
    }
    for name, seconds in value.items():
        low, high = limits[name]
        if not low <= seconds <= high:
            raise AwsError(
                "InvalidParameterValue",
                f"{name} must be between {low} and {high} seconds, not {seconds}.",
            )
    interface.connection_tracking_configuration = {
        **getattr(interface, "connection_tracking_configuration", {}),
        **value,
    }


def _ignore(backend: Any, interface: Any, value: Any) -> None:
    """Attributes that nothing here reads."""


_SET: dict[str, Callable[[Any, Any, Any], None]] = {
    "Groups": _set_groups,
    "Description": _set_description,
    "SourceDestCheck": _set_source_dest_check,
    "Attachment": _set_attachment,
    "ConnectionTrackingSpecification": _set_connection_tracking,
    "AssociatePublicIpAddress": _set_public_address,
    "EnaSrdSpecification": _ignore,
    "EnablePrimaryIpv6": _ignore,
}


def _check_new(call: Call) -> None:
    subnet = regional(call).get_subnet(call.params["SubnetId"])
    usable_groups(regional(call), list(call.params.get("Groups", [])), subnet.vpc_id)


def _check_launch(call: Call) -> None:
    backend = regional(call)
    top = (call.params.get("SubnetId"), call.params.get("SecurityGroupIds", []))
    interfaces = [
        (n.get("SubnetId"), n.get("Groups", [])) for n in call.params.get("NetworkInterfaces", [])
    ]
    if interfaces and top[1]:
        raise AwsError(
            "InvalidParameterCombination",
            "Network interfaces and an instance-level security groups may not be specified on the "
            "same request",
        )
    for subnet_id, groups in [top, *interfaces]:
        vpc = backend.get_subnet(subnet_id).vpc_id if subnet_id else backend.default_vpc.id
        usable_groups(backend, list(groups), vpc)
