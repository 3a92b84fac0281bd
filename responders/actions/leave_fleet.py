"""Takes the instance out of its Auto Scaling group before the network is cut.

An isolated member fails its health checks and is terminated, with its evidence. Detached, it is no
member: no health check, instance refresh or deletion of the group can terminate it. `--standby`
keeps it in the group, which checks it no more, but may still terminate it: the group is then
marked, so that the guardrails keep it from others. Either way the group launches a replacement,
unless `--no-replace`.

A member can leave from InService or Standby only (Auto Scaling API, DetachInstances, EnterStandby).
In any other state, and where leaving is refused, `responders.host.fleet_protection` tries what else
keeps it from being terminated.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from contract import TAG_CASE, TAG_STATUS, Status
from responders.action import Action, Incident, Observation
from responders.aws import SomeFailed, explain
from responders.errors import Skip
from responders.host import fleet_protection
from responders.json_values import JsonObject
from responders.permissions import allow, only_tags
from responders.scene import Scene

if TYPE_CHECKING:
    from types_boto3_autoscaling.type_defs import AutoScalingGroupTypeDef

GROUP = "arn:{partition}:autoscaling:*:{account}:autoScalingGroup:*:autoScalingGroupName/*"
MIN_SIZE = "min-size of "
"""Begins the key that holds a group's minimum size, which `--no-replace` may have to lower."""
FLEETS = {"aws:ec2:fleet-id": "EC2 Fleet", "aws:ec2spot:fleet-request-id": "Spot Fleet"}
"""Tags by which EC2 says what launched an instance, to what that is called."""
LEAVING = ("EnteringStandby", "Detaching")
LEAVES_WITHIN = 330.0
"""Seconds: a member on its way out is deregistered first, by default for 300 s."""


@dataclass(frozen=True)
class LeaveFleet(Action[Scene]):
    """Out of the group, or on standby, so that no health check terminates the instance."""

    detach: bool = True
    """Out of the group; if not, on standby in it."""
    replaced: bool = True
    """Whether the group may launch a replacement."""

    name = "leave-fleet"
    permissions = (
        allow("autoscaling:DescribeAutoScalingGroups", because="reads the group's sizes"),
        allow(
            "autoscaling:EnterStandby",
            "autoscaling:ExitStandby",
            "autoscaling:DetachInstances",
            "autoscaling:AttachInstances",
            on=GROUP,
            because="takes the instance out of its group, and back on release",
            risk="can take any instance out of service; its group replaces it",
        ),
        allow(
            "autoscaling:UpdateAutoScalingGroup",
            on=GROUP,
            because="lowers the minimum size when no replacement is wanted, and puts it back",
            risk="can change the size of any group",
        ),
        allow(
            "autoscaling:CreateOrUpdateTags",
            on=GROUP,
            when=only_tags(TAG_CASE, TAG_STATUS),
            because="marks a group that holds a quarantined instance on standby",
            risk="can mark any group, which the guardrails then keep from others",
        ),
    )

    def observe(self, incident: Incident[Scene]) -> Observation:
        """The group's name to `InService`, `Standby` … or `None` when it is no member.

        States on the way to another count as that one: they change by themselves. Beside it the
        group's minimum size, and what protects a member that can't leave, where they may change.
        """
        _tell_of_fleets(incident)
        member = incident.subject.fleet
        observation: JsonObject = dict.fromkeys(_members(incident.known))
        if member:
            observation[str(member["AutoScalingGroupName"])] = _settled(
                str(member["LifecycleState"])
            )
        if not observation:
            raise Skip("not in an Auto Scaling group")
        groups = list(observation)
        if not self.replaced or any(key.startswith(MIN_SIZE) for key in incident.known):
            sizes = {group: _group(incident, group) for group in groups}
            observation |= {f"{MIN_SIZE}{g}": size and size["MinSize"] for g, size in sizes.items()}
        return {**observation, **fleet_protection.observe(incident)}

    def lacks(self, incident: Incident[Scene], observation: Observation) -> tuple[str, ...]:
        """In a group, and in service."""
        for group, state in _members(observation).items():
            if str(state).startswith("Terminating"):
                incident.risk(f"{group} is terminating the instance, and its evidence with it")
        fleet_protection.tell_of_state(incident)
        accepted = () if self.detach else ("Standby",)
        return tuple(
            f"{state} in Auto Scaling group {group}"
            for group, state in _members(observation).items()
            if state is not None and state not in accepted
        )

    def act(self, incident: Incident[Scene], observation: Observation) -> None:
        """Detaches it, or puts it on standby and marks the group; else protects it in the group."""

        def leave(group: str) -> None:
            try:
                self._leave(incident, group)
            except Exception:
                fleet_protection.protect(incident, group, observation)
                raise

        members = _members(observation)
        incident.aws.each(leave, [group for group, state in members.items() if state is not None])

    def undo(self, incident: Incident[Scene], before: Observation) -> None:
        """Back in service: out of standby, or attached again; then the former minimum size."""

        def restore(key: str) -> None:
            if key.startswith(MIN_SIZE):
                incident.client("autoscaling").update_auto_scaling_group(
                    AutoScalingGroupName=key.removeprefix(MIN_SIZE), MinSize=before[key]
                )
            elif fleet_protection.is_key(key):
                fleet_protection.restore(incident, key, before[key])
            elif before[key] == "InService":
                self._return(incident, key)

        # In this order: a group takes a minimum size only when it has as many members.
        failures = []
        for key in [*_members(before), *sorted(set(before) - set(_members(before)))]:
            try:
                restore(key)
            except Exception as error:
                failures.append(f"{key}: {explain(error)}")
        if failures:
            raise SomeFailed(failures)

    def _leave(self, incident: Incident[Scene], group: str) -> None:
        client = incident.client("autoscaling")
        shrinks = not self.replaced and _has_room_below(incident, group)
        if self.detach:
            client.detach_instances(
                InstanceIds=[incident.target],
                AutoScalingGroupName=group,
                ShouldDecrementDesiredCapacity=shrinks,
            )
            return
        client.enter_standby(
            InstanceIds=[incident.target],
            AutoScalingGroupName=group,
            ShouldDecrementDesiredCapacity=shrinks,
        )
        _mark(incident, group, Status.QUARANTINED)

    def _return(self, incident: Incident[Scene], group: str) -> None:
        incident.wait_for(lambda: _state(incident) not in LEAVING, seconds=LEAVES_WITHIN)
        _make_room_above(incident, group)
        client = incident.client("autoscaling")
        back = client.attach_instances if _state(incident) is None else client.exit_standby
        back(InstanceIds=[incident.target], AutoScalingGroupName=group)
        if not self.detach:
            _mark(incident, group, Status.RELEASED)


def _mark(incident: Incident[Scene], group: str, status: Status) -> None:
    """Tags the group, not what it launches. A refusal is told as a risk: the way out is taken."""
    tags = {TAG_CASE: incident.case, TAG_STATUS: status.value}
    try:
        incident.client("autoscaling").create_or_update_tags(
            Tags=[
                {
                    "ResourceId": group,
                    "ResourceType": "auto-scaling-group",
                    "Key": key,
                    "Value": value,
                    "PropagateAtLaunch": False,
                }
                for key, value in tags.items()
            ]
        )
    except Exception as error:
        incident.risk(f"{group} could not be marked as {status.value}: {explain(error)}")


def _tell_of_fleets(incident: Incident[Scene]) -> None:
    """What launched the instance and may terminate it; no call takes a member out of these."""
    for tag in incident.subject.instance.get("Tags", ()):
        if owner := FLEETS.get(tag["Key"]):
            incident.risk(
                f"{owner} {tag['Value']} launched the instance and may terminate it: don't cancel "
                "or shrink it before the evidence is complete"
            )
    if request := incident.subject.instance.get("SpotInstanceRequestId"):
        incident.risk(f"a Spot interruption may terminate the instance (request {request})")


def _members(observation: Observation) -> JsonObject:
    """The groups alone, with the instance's state in each."""
    return {
        key: state
        for key, state in observation.items()
        if not key.startswith(MIN_SIZE) and not fleet_protection.is_key(key)
    }


def _settled(state: str) -> str | None:
    if state.startswith("Pending"):
        return "InService"
    return {"EnteringStandby": "Standby", "Detaching": None, "Detached": None}.get(state, state)


def _state(incident: Incident[Scene]) -> str | None:
    """The instance's state in its group at this moment."""
    answer = incident.client("autoscaling").describe_auto_scaling_instances(
        InstanceIds=[incident.target]
    )
    return next((str(i["LifecycleState"]) for i in answer["AutoScalingInstances"]), None)


def _group(incident: Incident[Scene], name: str) -> AutoScalingGroupTypeDef | None:
    answer = incident.client("autoscaling").describe_auto_scaling_groups(
        AutoScalingGroupNames=[name]
    )
    return next(iter(answer["AutoScalingGroups"]), None)


def _has_room_below(incident: Incident[Scene], name: str) -> bool:
    """Whether the group can shrink by one; its minimum size is lowered if need be.

    If it can't be, a replacement is the lesser evil: a member that stays is terminated.
    """
    try:
        group = _group(incident, name)
        if group and group["DesiredCapacity"] <= group["MinSize"]:
            smaller = max(0, group["DesiredCapacity"] - 1)
            incident.client("autoscaling").update_auto_scaling_group(
                AutoScalingGroupName=name, MinSize=smaller
            )
            incident.note(
                f"the minimum size of {name} is {smaller} instead of {group['MinSize']}, so that "
                "no replacement is launched; release puts it back"
            )
    except Exception as error:
        incident.risk(f"{name} launches a replacement all the same: {explain(error)}")
        return False
    return True


def _make_room_above(incident: Incident[Scene], name: str) -> None:
    """Lets the instance back in beside its replacement; who made room must take it away."""
    group = _group(incident, name)
    if group and group["DesiredCapacity"] >= group["MaxSize"]:
        bigger = group["DesiredCapacity"] + 1
        incident.client("autoscaling").update_auto_scaling_group(
            AutoScalingGroupName=name, MaxSize=bigger
        )
        incident.risk(
            f"the maximum size of {name} is {bigger} instead of {group['MaxSize']}, for the "
            "replacement is still in it: shrink it by hand when you know which one to keep"
        )
