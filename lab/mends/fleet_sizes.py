"""An Auto Scaling group keeps to its sizes, and its members change by their states.

Moto shrinks a group below its minimum, grows it over its maximum, and moves and protects members
in any state. AWS refuses with
`ValidationError` (Auto Scaling API, EnterStandby, DetachInstances, ExitStandby, AttachInstances;
user guide, "Temporarily remove instances").
"""

from __future__ import annotations

from typing import Any

from lab.backends import regional
from lab.gate.answers import check
from lab.gate.call import Call
from lab.gate.wire import AwsError


def mend() -> None:
    """Checks each call that moves an instance out of a group or into it."""
    check("autoscaling", "EnterStandby")(_check_standby)
    check("autoscaling", "DetachInstances")(_check_detach)
    check("autoscaling", "SetInstanceProtection")(_check_protection)
    check("autoscaling", "EnterStandby", "DetachInstances")(_check_minimum)
    check("autoscaling", "ExitStandby")(_check_on_standby)
    check("autoscaling", "ExitStandby", "AttachInstances")(_check_maximum)


def _group(call: Call) -> Any:
    name = call.params["AutoScalingGroupName"]
    group = regional(call).autoscaling_groups.get(name)
    if group is None:
        raise AwsError("ValidationError", f"AutoScalingGroup name not found - {name}")
    return group


def _require_state(call: Call, *accepted: str) -> None:
    states = {s.instance.id: s.lifecycle_state for s in _group(call).instance_states}
    for instance in call.params["InstanceIds"]:
        if states.get(instance) not in accepted:
            raise AwsError(
                "ValidationError",
                f"The instance {instance} is not in {' or '.join(accepted)}: "
                f"{states.get(instance, 'no member')}.",
            )


def _check_standby(call: Call) -> None:
    _require_state(call, "InService")


def _check_detach(call: Call) -> None:
    _require_state(call, "InService", "Standby")


def _check_protection(call: Call) -> None:
    _require_state(call, "InService", "EnteringStandby", "Standby")


def _check_on_standby(call: Call) -> None:
    _require_state(call, "Standby")


def _check_minimum(call: Call) -> None:
    group, count = _group(call), len(call.params["InstanceIds"])
    shrinks = call.params["ShouldDecrementDesiredCapacity"]
    if shrinks and group.desired_capacity - count < group.min_size:
        raise AwsError("ValidationError", _sizes(group, f"remove {count} instance"))


def _check_maximum(call: Call) -> None:
    group, count = _group(call), len(call.params["InstanceIds"])
    if group.desired_capacity + count > group.max_size:
        raise AwsError("ValidationError", _sizes(group, f"add {count} instance"))


def _sizes(group: Any, to: str) -> str:
    return (
        f"AutoScalingGroup {group.name} has min-size={group.min_size}, max-size={group.max_size}, "
        f"and desired-size={group.desired_capacity}. To {to}, update its sizes."
    )
