"""Keeps the instance and its volumes from being destroyed, by mistake or to destroy evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from responders.action import Action, Incident, Observation
from responders.aws import SomeFailed, explain
from responders.errors import Skip
from responders.json_values import Json, JsonObject
from responders.permissions import allow, ec2
from responders.scene import Scene

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import InstanceAttributeTypeDef

ATTRIBUTES: dict[str, tuple[str, bool | str]] = {
    "disableApiTermination": ("DisableApiTermination", True),
    "disableApiStop": ("DisableApiStop", True),
    "instanceInitiatedShutdownBehavior": ("InstanceInitiatedShutdownBehavior", "stop"),
}
"""Attribute as described, to the field that holds it and the value that protects."""


UNREAD = "unread"
"""In the state of an attribute that could not be read: why."""


class Protect(Action[Scene]):
    """Termination and stop protection, shutdown stops, volumes outlive the instance."""

    name = "protect"
    cuts_off = False
    permissions = (
        allow("ec2:DescribeInstanceAttribute", because="reads the protections"),
        allow(
            "ec2:ModifyInstanceAttribute",
            on=ec2("instance"),
            because="protects the instance from termination; release undoes it",
            risk="can change attributes of any instance, such as its user data while stopped",
        ),
    )

    def observe(self, incident: Incident[Scene]) -> Observation:
        """Attribute, or device, to its value, or to `UNREAD` and why it could not be read."""
        client = incident.client("ec2")
        answers = {
            name: incident.aws.spawn(
                lambda n: client.describe_instance_attribute(
                    InstanceId=incident.target, Attribute=n
                ),
                name,
            )
            for name in ATTRIBUTES
        }
        observation: JsonObject = {}
        for name, answer in answers.items():
            try:
                observation[name] = _value(answer.result(), name)
            except Exception as error:
                observation[name] = {UNREAD: explain(error)}
        for mapping in incident.subject.instance.get("BlockDeviceMappings", ()):
            if "Ebs" in mapping:
                observation[f"device {mapping['DeviceName']}"] = mapping["Ebs"][
                    "DeleteOnTermination"
                ]
        return dict(sorted(observation.items()))

    def lacks(self, incident: Incident[Scene], observation: Observation) -> tuple[str, ...]:
        """A line for each attribute that does not protect; a Spot instance has no protection."""
        spot = incident.subject.instance.get("InstanceLifecycle") == "spot"
        if spot:
            incident.risk("a Spot instance can't have termination protection: EC2 may reclaim it")
        return tuple(
            f"{key} is not known: {value[UNREAD]}" if _is_unread(value) else f"{key} is {value}"
            for key, value in observation.items()
            if value != _intended(key) and not (spot and key in ATTRIBUTES)
        )

    def act(self, incident: Incident[Scene], observation: Observation) -> None:
        """One call an attribute, for EC2 takes no more; one refusal stops no other."""
        spot = incident.subject.instance.get("InstanceLifecycle") == "spot"
        todo = {
            k: _intended(k)
            for k, v in observation.items()
            if v != _intended(k) and not (spot and k in ATTRIBUTES)
        }
        _write(incident, todo)

    def undo(self, incident: Incident[Scene], before: Observation) -> None:
        """Every attribute as it was. What could not be read then stays protected: Skip."""
        unread = sorted(key for key, value in before.items() if _is_unread(value))
        _write(incident, {key: value for key, value in before.items() if key not in unread})
        if unread:
            raise Skip(
                f"{', '.join(unread)} could not be read before, so what it was is not known: it "
                "stays as the response set it",
                incomplete=True,
            )

    def is_own(self, incident: Incident[Scene], resource: str, state: Json) -> bool:
        """Protected already: by its owner, or by another response. Neither is undone."""
        return bool(state == _intended(resource))


def _is_unread(value: Json) -> bool:
    return isinstance(value, dict) and UNREAD in value


def _value(answer: InstanceAttributeTypeDef, attribute: str) -> bool | str | None:
    match attribute:
        case "disableApiTermination":
            return answer["DisableApiTermination"].get("Value")
        case "disableApiStop":
            return answer["DisableApiStop"].get("Value")
        case _:
            return answer["InstanceInitiatedShutdownBehavior"].get("Value")


def _intended(key: str) -> Json:
    return False if key.startswith("device ") else ATTRIBUTES[key][1]


def _write(incident: Incident[Scene], values: Observation) -> None:
    failures = []
    for key, value in values.items():
        if key.startswith("device "):
            change: JsonObject = {
                "BlockDeviceMappings": [
                    {
                        "DeviceName": key.removeprefix("device "),
                        "Ebs": {"DeleteOnTermination": value},
                    }
                ]
            }
        else:
            change = {ATTRIBUTES[key][0]: {"Value": value}}
        try:
            incident.client("ec2").modify_instance_attribute(InstanceId=incident.target, **change)
        except Exception as error:
            failures.append(f"{key}: {explain(error)}")
    if failures:
        raise SomeFailed(failures)
