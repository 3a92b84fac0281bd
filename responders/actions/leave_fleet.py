"""Takes the instance out of its Auto Scaling group before the network is cut.

An isolated member fails its health checks and is terminated, with its evidence. Detached, it is no
member: no health check, instance refresh or deletion of the group can terminate it. `--standby`
keeps it in the group, which checks it no more, but may still terminate it: the group is then
marked, so that the guardrails keep it from others. Either way the group launches a replacement,
unless `--no-replace`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from contract import TAG_CASE, TAG_STATUS, Status
from responders.action import Action, Incident, Observation
from responders.aws import explain
from responders.errors import Skip
from responders.json_values import JsonObject
from responders.permissions import allow, only_tags
from responders.scene import Scene

if TYPE_CHECKING:
    from types_boto3_autoscaling.type_defs import AutoScalingGroupTypeDef

GROUP = "arn:{partition}:autoscaling:*:{account}:autoScalingGroup:*:autoScalingGroupName/*"
MIN_SIZE = "min-size of "
"""Begins the thing that holds a group's minimum size, which `--no-replace` may have to lower."""
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

        States on the way to another count as that one: they change by themselves.
        """
        _tell_of_fleets(incident)
        member = incident.subject.fleet
        known = [thing for thing in incident.known if not thing.startswith(MIN_SIZE)]
        observation: JsonObject = dict.fromkeys(known)
        if member:
            observation[str(member["AutoScalingGroupName"])] = _settled(
                str(member["LifecycleState"])
            )
        if not observation:
            raise Skip("not in an Auto Scaling group")
        if not self.replaced or len(known) < len(incident.known):
            sizes = {group: _group(incident, group) for group in observation}
            observation |= {f"{MIN_SIZE}{g}": size and size["MinSize"] for g, size in sizes.items()}
        return observation

    def lacks(self, incident: Incident[Scene], observation: Observation) -> tuple[str, ...]:
        """In a group, and in service."""
        for group, state in _members(observation).items():
            if str(state).startswith("Terminating"):
                incident.risk(f"{group} is terminating the instance, and its evidence with it")
        gone = () if self.detach else ("Standby",)
        return tuple(
            f"{state} in Auto Scaling group {group}"
            for group, state in _members(observation).items()
            if state is not None and state not in gone
        )

    def act(self, incident: Incident[Scene], observation: Observation) -> None:
        """Detaches it, or puts it on standby and marks the group."""
        client = incident.client("autoscaling")
        leave = client.detach_instances if self.detach else client.enter_standby
        for group, state in _members(observation).items():
            if state is None:
                continue
            leave(
                InstanceIds=[incident.target],
                AutoScalingGroupName=group,
                ShouldDecrementDesiredCapacity=not self.replaced
                and _has_room_below(incident, group),
            )
            if not self.detach:
                _mark(incident, group, Status.QUARANTINED)

    def undo(self, incident: Incident[Scene], before: Observation) -> None:
        """Back in service: out of standby, or attached again; then the former minimum size."""
        client = incident.client("autoscaling")
        for group, state in _members(before).items():
            if state in (None, "Standby"):
                continue
            incident.wait_for(lambda: _state(incident) not in LEAVING, seconds=LEAVES_WITHIN)
            _make_room_above(incident, group)
            back = client.attach_instances if _state(incident) is None else client.exit_standby
            back(InstanceIds=[incident.target], AutoScalingGroupName=group)
            if not self.detach:
                _mark(incident, group, Status.RELEASED)
        for thing, size in before.items():
            if thing.startswith(MIN_SIZE):
                client.update_auto_scaling_group(
                    AutoScalingGroupName=thing.removeprefix(MIN_SIZE), MinSize=size
                )


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
    return {thing: state for thing, state in observation.items() if not thing.startswith(MIN_SIZE)}


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
