"""`ModifyInstanceAttribute` sets one attribute a call, by AWS's rules.

Moto appends groups, knows no `InstanceInitiatedShutdownBehavior` and lets anything be changed at
any time. AWS: one attribute a call; groups and the source check only on an instance with one
interface; type, user data and the like only while stopped; nothing on a terminated one (EC2 API,
ModifyInstanceAttribute).
"""

from __future__ import annotations

from typing import Any

from moto.ec2.utils import parse_user_data

from lab.backends import regional
from lab.gate.answers import answer
from lab.gate.call import Call
from lab.gate.wire import AwsError
from lab.mends.interface_groups import usable_groups

_PLAIN = {
    "DisableApiTermination": "disable_api_termination",
    "DisableApiStop": "disable_api_stop",
    "InstanceInitiatedShutdownBehavior": "instance_initiated_shutdown_behavior",
}
_WHILE_STOPPED = {
    "InstanceType": "instance_type",
    "Kernel": "kernel",
    "Ramdisk": "ramdisk",
    "EbsOptimized": "ebs_optimized",
    "SriovNetSupport": "sriov_net_support",
    "UserData": "user_data",
}
_OTHER = ("Groups", "SourceDestCheck", "BlockDeviceMappings", "EnaSupport")
_ATTRIBUTES = (*_PLAIN, *_WHILE_STOPPED, *_OTHER)


def mend() -> None:
    """Answers ModifyInstanceAttribute."""
    answer("ec2", "ModifyInstanceAttribute")(_modify)


def _modify(call: Call) -> dict[str, Any]:
    backend = regional(call)
    instance = backend.get_instance(call.params["InstanceId"])
    name, value = _attribute(call)
    _refuse_terminated(instance)
    if name in _PLAIN:
        setattr(instance, _PLAIN[name], value)
    elif name in _WHILE_STOPPED:
        _require_stopped(instance, name)
        setattr(
            instance, _WHILE_STOPPED[name], parse_user_data(value) if name == "UserData" else value
        )
    elif name == "BlockDeviceMappings":
        _set_block_devices(instance, value)
    elif name == "Groups":
        only = _only_interface(instance)
        only._group_set = usable_groups(backend, list(value), only.vpc_id)
    elif name == "SourceDestCheck":
        _only_interface(instance).source_dest_check = value
        instance.source_dest_check = value
    return {}


def _attribute(call: Call) -> tuple[str, Any]:
    if "Attribute" in call.params:
        name = call.params["Attribute"]
        name = {"groupSet": "Groups", "blockDeviceMapping": "BlockDeviceMappings"}.get(
            name, name[0].upper() + name[1:]
        )
        text = call.params.get("Value")
        return name, text == "true" if text in ("true", "false") else text
    attributes = [name for name in _ATTRIBUTES if name in call.params]
    if not attributes:
        raise AwsError("InvalidParameterCombination", "No attributes specified.")
    if len(attributes) > 1:
        raise AwsError(
            "InvalidParameterCombination",
            f"Fields for multiple attribute types specified: {', '.join(attributes)}",
        )
    value = call.params[attributes[0]]
    return attributes[0], value["Value"] if isinstance(value, dict) and "Value" in value else value


def _refuse_terminated(instance: Any) -> None:
    if instance.state == "terminated":
        raise AwsError(
            "IncorrectInstanceState",
            f"The instance '{instance.id}' is not in a state in which it can be modified.",
        )


def _require_stopped(instance: Any, name: str) -> None:
    if instance.state != "stopped":
        raise AwsError(
            "IncorrectInstanceState",
            f"The instance '{instance.id}' is not in the 'stopped' state: {name} can't be changed.",
        )


def _only_interface(instance: Any) -> Any:
    if len(instance.nics) != 1:
        raise AwsError(
            "InvalidInstanceID",
            f"There are multiple interfaces attached to instance '{instance.id}'. Please specify "
            "an interface ID for the operation instead.",
        )
    return next(iter(instance.nics.values()))


def _set_block_devices(instance: Any, mappings: list[dict[str, Any]]) -> None:
    for mapping in mappings:
        device = instance.block_device_mapping.get(mapping["DeviceName"])
        if device is None:
            raise AwsError(
                "InvalidInstanceAttributeValue",
                f"No device is currently mapped at {mapping['DeviceName']}",
            )
        if "DeleteOnTermination" in mapping.get("Ebs", {}):
            device.delete_on_termination = mapping["Ebs"]["DeleteOnTermination"]
