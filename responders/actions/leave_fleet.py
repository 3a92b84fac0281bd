"""Takes the instance out of its Auto Scaling group before the network is cut.

An isolated member fails its health checks and is terminated, with its evidence. Standby keeps it
in the group and lets go of it; `--detach` removes it.
"""

from __future__ import annotations

from typing import Any

from responders.action import Action, Incident, Seen
from responders.errors import Skip
from responders.permissions import allow

AWAY = ("Standby", "EnteringStandby")
GROUP = "arn:{partition}:autoscaling:*:{account}:autoScalingGroup:*:autoScalingGroupName/*"


class LeaveFleet(Action):
    """Standby, or out of the group, so that no health check terminates the instance."""

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
    )

    def observe(self, incident: Incident) -> Seen:
        """The group's name to `InService`, `Standby` … or `None` when it is no member."""
        member = incident.scene.fleet
        seen: dict[str, Any] = dict.fromkeys(incident.known)
        if member:
            seen[str(member["AutoScalingGroupName"])] = str(member["LifecycleState"])
        if not seen:
            raise Skip("not in an Auto Scaling group")
        return seen

    def lacks(self, incident: Incident, seen: Seen) -> tuple[str, ...]:
        """In a group, and in service."""
        gone = () if incident.options.detach else AWAY
        return tuple(
            f"{state} in Auto Scaling group {group}"
            for group, state in seen.items()
            if state is not None and state not in gone
        )

    def act(self, incident: Incident, seen: Seen) -> None:
        """Standby or detach; a replacement is launched unless `--no-replace`."""
        client = incident.client("autoscaling")
        leave = client.detach_instances if incident.options.detach else client.enter_standby
        for group, state in seen.items():
            if state is None:
                continue
            shrink = not incident.options.replace
            if shrink and not _has_room(client, group):
                incident.note(f"{group} is at its minimum size, so a replacement is launched")
                shrink = False
            leave(
                InstanceIds=[incident.target],
                AutoScalingGroupName=group,
                ShouldDecrementDesiredCapacity=shrink,
            )

    def undo(self, incident: Incident, before: Seen) -> None:
        """Back in service: out of standby, or attached again."""
        client = incident.client("autoscaling")
        member = incident.scene.fleet
        for group, state in before.items():
            if state in (None, *AWAY):
                continue
            back = client.exit_standby if member else client.attach_instances
            back(InstanceIds=[incident.target], AutoScalingGroupName=group)

    def restored(self, before: Any, now: Any) -> bool:
        """In service again, or on the way to it."""
        return bool(before == now or (before == "InService" and now == "Pending"))


def _has_room(client: Any, group: str) -> bool:
    answer = client.describe_auto_scaling_groups(AutoScalingGroupNames=[group])
    sizes = answer["AutoScalingGroups"][0]
    return int(sizes["DesiredCapacity"]) > int(sizes["MinSize"])
