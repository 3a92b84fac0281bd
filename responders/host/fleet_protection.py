"""Keeps an Auto Scaling group from terminating a member that can't leave it.

A member leaves from InService or Standby only. In another state (Pending, Pending:Wait,
Terminating, Terminating:Wait, Warmed …) the group is kept from terminating and replacing members by
suspending those two processes, which concerns the whole group, and the member is protected from
scale-in where its state allows that (Auto Scaling user guide, "Suspend and resume processes" and
"Use instance scale-in protection"). Both are recorded before, and undone on release.
"""

from __future__ import annotations

from responders.action import Incident, Observation
from responders.aws import explain
from responders.json_values import Json, JsonObject
from responders.permissions import allow
from responders.scene import Scene

GROUP = "arn:{partition}:autoscaling:*:{account}:autoScalingGroup:*:autoScalingGroupName/*"
PERMISSIONS = (
    allow(
        "autoscaling:SuspendProcesses",
        "autoscaling:ResumeProcesses",
        on=GROUP,
        because="keeps a group from terminating a member that can't leave it; release resumes",
        risk="can suspend or resume what any group does, such as launching instances",
    ),
    allow(
        "autoscaling:SetInstanceProtection",
        on=GROUP,
        because="protects a member that can't leave its group from scale-in; release undoes it",
        risk="can protect any member from scale-in, or take its protection away",
    ),
)

PROCESSES = "suspended processes of "
"""Begins the key that holds what is suspended in a group."""
SCALE_IN = "scale-in protection in "
"""Begins the key that holds whether the member is protected from scale-in."""
SUSPENDED = ("ReplaceUnhealthy", "Terminate")
"""Processes by which a group ends members."""
MAY_LEAVE = ("InService", "Standby", "EnteringStandby", "Detaching", "Detached")
"""States from which a member can leave, or is about to have left."""


def is_key(key: str) -> bool:
    """Whether a key of the observation is one of this module's."""
    return key.startswith((PROCESSES, SCALE_IN))


def observe(incident: Incident[Scene]) -> JsonObject:
    """What protects the member; nothing for one that can leave, unless the case protected it."""
    member = incident.subject.fleet
    groups = {key.removeprefix(PROCESSES) for key in incident.known if key.startswith(PROCESSES)}
    if member and str(member["LifecycleState"]) not in MAY_LEAVE:
        groups.add(str(member["AutoScalingGroupName"]))
    observation: JsonObject = {}
    for group in sorted(groups):
        observation[PROCESSES + group] = _suspended(incident, group)
        # Who has left has no protection to give back: what was known then stands.
        is_member = member is not None and member["AutoScalingGroupName"] == group
        observation[SCALE_IN + group] = (
            _is_protected(incident, group) if is_member else incident.known.get(SCALE_IN + group)
        )
    return observation


def tell_of_state(incident: Incident[Scene]) -> None:
    """Tells as a risk that a member in this state can't leave its group."""
    member = incident.subject.fleet
    if not member or str(member["LifecycleState"]) in MAY_LEAVE:
        return
    group, state = str(member["AutoScalingGroupName"]), str(member["LifecycleState"])
    advice = "run this again once it is InService"
    if state.startswith("Terminating"):
        advice = (
            "where a lifecycle hook holds it in Terminating:Wait, `aws autoscaling "
            "record-lifecycle-action-heartbeat` gives more time for its evidence (48 h at most)"
        )
    incident.risk(
        f"{incident.target} is {state} in Auto Scaling group {group}, and a member can leave from "
        f"InService or Standby only: the group may terminate it, with its evidence; {advice}"
    )


def protect(incident: Incident[Scene], group: str, observation: Observation) -> None:
    """Suspends what would terminate it, and protects it; what is refused is told as a risk.

    Changes nothing whose former state is not in the observation.
    """
    if PROCESSES + group not in observation:
        incident.risk(f"{incident.target} is still in {group}, which may terminate it")
        return
    client = incident.client("autoscaling")
    missing = [p for p in SUSPENDED if p not in observation[PROCESSES + group]]
    try:
        client.suspend_processes(AutoScalingGroupName=group, ScalingProcesses=missing)
        incident.note(
            f"{group} terminates and replaces no member at present, for {', '.join(missing)} are "
            "suspended; release resumes them"
        )
    except Exception as error:
        incident.risk(f"{group} may still terminate its members: {explain(error)}")
    try:
        client.set_instance_protection(
            AutoScalingGroupName=group, InstanceIds=[incident.target], ProtectedFromScaleIn=True
        )
    except Exception as error:
        incident.risk(
            f"{incident.target} could not be protected from scale-in of {group}: {explain(error)}"
        )


def restore(incident: Incident[Scene], key: str, before: Json) -> None:
    """Resumes what was not suspended before; the member's protection as it was."""
    client = incident.client("autoscaling")
    if key.startswith(SCALE_IN):
        client.set_instance_protection(
            AutoScalingGroupName=key.removeprefix(SCALE_IN),
            InstanceIds=[incident.target],
            ProtectedFromScaleIn=before,
        )
        return
    group = key.removeprefix(PROCESSES)
    # Only those of this module: what somebody else suspended since is theirs.
    resumed = [p for p in SUSPENDED if p not in before and p in _suspended(incident, group)]
    if resumed:
        client.resume_processes(AutoScalingGroupName=group, ScalingProcesses=resumed)


def _suspended(incident: Incident[Scene], group: str) -> list[str]:
    """Names of the suspended processes; none of a group that is gone."""
    answer = incident.client("autoscaling").describe_auto_scaling_groups(
        AutoScalingGroupNames=[group]
    )
    return sorted(
        str(process["ProcessName"])
        for described in answer["AutoScalingGroups"]
        for process in described.get("SuspendedProcesses", ())
    )


def _is_protected(incident: Incident[Scene], group: str) -> bool:
    """Whether the member is protected from scale-in now."""
    answer = incident.client("autoscaling").describe_auto_scaling_groups(
        AutoScalingGroupNames=[group]
    )
    return any(
        bool(member.get("ProtectedFromScaleIn"))
        for described in answer["AutoScalingGroups"]
        for member in described["Instances"]
        if member["InstanceId"] == incident.target
    )
