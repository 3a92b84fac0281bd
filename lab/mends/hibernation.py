"""An instance hibernates if it was launched so, and says afterwards that it did.

Moto ignores `Hibernate`, and does not describe `HibernationOptions`. EC2 user guide, "Hibernate
your instance": it must be configured at launch, else `UnsupportedHibernationConfiguration`; a
hibernated instance is `stopped`, with the reason `Client.UserInitiatedHibernate`.
"""

from __future__ import annotations

from typing import Any

from lab.backends import regional
from lab.gate.answers import amend, check
from lab.gate.call import Call
from lab.gate.wire import AwsError

REASON = "Client.UserInitiatedHibernate"


def mend() -> None:
    """Refuses what was not configured; describes what is and what happened."""
    check("ec2", "StopInstances")(_check)
    amend("ec2", "StopInstances")(_say_why)
    amend("ec2", "DescribeInstances")(_describe)


def _configured(instance: Any) -> bool:
    value = (instance.hibernation_options or {}).get("Configured", False)
    return str(value).lower() == "true"


def _check(call: Call) -> None:
    if not call.params.get("Hibernate"):
        return
    for instance in regional(call).get_multi_instances_by_id(call.params["InstanceIds"]):
        if not _configured(instance):
            raise AwsError(
                "UnsupportedHibernationConfiguration",
                f"{instance.id} was not launched with hibernation configured.",
            )


def _say_why(call: Call, result: dict[str, Any]) -> None:
    if call.params.get("Hibernate"):
        for instance in regional(call).get_multi_instances_by_id(call.params["InstanceIds"]):
            instance.state_reason.code = REASON
            instance.state_reason.message = f"{REASON}: User initiated hibernate"


def _describe(call: Call, result: dict[str, Any]) -> None:
    backend = regional(call)
    for reservation in result["Reservations"]:
        for described in reservation["Instances"]:
            instance = backend.get_instance(described["InstanceId"])
            described["HibernationOptions"] = {"Configured": _configured(instance)}
