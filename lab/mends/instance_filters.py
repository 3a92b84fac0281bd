"""Instances and interfaces can be found by any of their addresses, by profile and by launch time.

Moto knows no `network-interface.*` filter of DescribeInstances (it raises), and of an interface
only the first address. AWS's filter values may hold `*` and `?` (EC2 API, DescribeInstances,
DescribeNetworkInterfaces).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from moto.ec2 import utils
from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.ec2.models.instances import Instance

from lab.policy import like

_OF_INTERFACE: dict[str, Callable[[Any], list[str]]] = {
    "addresses.private-ip-address": lambda nic: [
        address["PrivateIpAddress"] for address in nic.private_ip_addresses
    ],
    "addresses.association.public-ip": lambda nic: [nic.public_ip] if nic.public_ip else [],
    "association.public-ip": lambda nic: [nic.public_ip] if nic.public_ip else [],
    "ipv6-addresses.ipv6-address": lambda nic: list(nic.ipv6_addresses),
    "network-interface-id": lambda nic: [nic.id],
    "group-id": lambda nic: [group.id for group in nic.group_set],
    "subnet-id": lambda nic: [nic.subnet_id],
    "vpc-id": lambda nic: [nic.vpc_id],
    "mac-address": lambda nic: [nic.mac_address],
    "status": lambda nic: [nic.status],
    "interface-type": lambda nic: [nic.interface_type],
    "requester-id": lambda nic: [nic.requester_id],
    "attachment.instance-id": lambda nic: [nic.instance.id] if nic.instance else [],
}
_OF_INSTANCE: dict[str, Callable[[Any], list[str]]] = {
    "iam-instance-profile.arn": lambda i: (
        [i.iam_instance_profile["Arn"]] if i.iam_instance_profile else []
    ),
    "launch-time": lambda i: [f"{i.launch_time:%Y-%m-%dT%H:%M:%S}.000Z"],
    "root-device-type": lambda i: [i.root_device_type],
}


def mend() -> None:
    """Teaches moto these filters, and wildcards in the values of all."""
    instance: Any = Instance
    of_interfaces = {f"network-interface.{n}": _of_all(r) for n, r in _OF_INTERFACE.items()}
    for name, read in {**_OF_INSTANCE, **of_interfaces}.items():
        attribute = "lab_filter_" + name.replace(".", "_").replace("-", "_")
        setattr(instance, attribute, property(read))
        utils.filter_dict_attribute_mapping[name] = attribute
    filters: Any = utils
    filters.instance_value_in_filter_values = _matches
    interface: Any = NetworkInterface
    moto_value = interface.get_filter_value

    def value(self: Any, name: str, method: str | None = None) -> Any:
        return (
            _OF_INTERFACE[name](self) if name in _OF_INTERFACE else moto_value(self, name, method)
        )

    interface.get_filter_value = value


def _of_all(read: Callable[[Any], list[str]]) -> Callable[[Any], list[str]]:
    return lambda instance: [value for nic in instance.nics.values() for value in read(nic)]


def _matches(value: Any, patterns: list[str]) -> bool:
    values = value if isinstance(value, list) else [value]
    texts = [str(v).lower() if isinstance(v, bool) else str(v) for v in values if v is not None]
    return any(like(pattern, text) for pattern in patterns for text in texts)
