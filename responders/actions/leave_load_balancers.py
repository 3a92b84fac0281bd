"""Takes the instance out of its load balancers, so that no user's traffic goes to it.

Finding them takes a call per target group, so this goes on beside the isolation, never before it.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future

from responders.action import Action, Incident, Observation
from responders.aws import code_of, expecting, explain
from responders.errors import Skip
from responders.json_values import Json, JsonObject
from responders.permissions import allow
from responders.scene import Scene

BALANCING = "arn:{partition}:elasticloadbalancing:*:{account}"
CLASSIC = "classic "
"""Begins the thing that stands for a classic load balancer; its name follows."""
AT_ONCE = 16
"""Target groups asked at the same time: the API takes few calls a second."""
UNKNOWN = "unknown"
"""In the state of what could not be asked: why."""


class LeaveLoadBalancers(Action[Scene]):
    """Deregistered from every target group and classic load balancer; registered on release."""

    name = "leave-load-balancers"
    permissions = (
        allow(
            "elasticloadbalancing:DescribeTargetGroups",
            "elasticloadbalancing:DescribeTargetHealth",
            "elasticloadbalancing:DescribeLoadBalancers",
            because="finds the load balancers that the instance is registered with",
        ),
        allow(
            "elasticloadbalancing:DeregisterTargets",
            "elasticloadbalancing:RegisterTargets",
            on=f"{BALANCING}:targetgroup/*",
            because="takes the instance out of target groups; release puts it back",
            risk="can take any target out of service, or put one in",
        ),
        allow(
            "elasticloadbalancing:DeregisterInstancesFromLoadBalancer",
            "elasticloadbalancing:RegisterInstancesWithLoadBalancer",
            on=f"{BALANCING}:loadbalancer/*",
            because="the same for classic load balancers",
        ),
    )

    def observe(self, incident: Incident[Scene]) -> Observation:
        """`<target group> <id>:<port>`, or `classic <name>`, to the target; None: not registered.

        A target that is draining counts as deregistered. One group that can't be asked is a line
        of its own, and hides no other.
        """
        asked = {
            "target groups": incident.aws.spawn(_targets, incident),
            "classic load balancers": incident.aws.spawn(_classic, incident),
        }
        observation: JsonObject = dict.fromkeys(incident.known)
        for what, answer in asked.items():
            observation |= _or_unknown(what, answer)
        if not observation:
            raise Skip("registered with no load balancer")
        return dict(sorted(observation.items()))

    def lacks(self, incident: Incident[Scene], observation: Observation) -> tuple[str, ...]:
        """A line for each registration, and for each group of which that is not known."""
        return tuple(
            f"{key}: not known if registered: {target[UNKNOWN]}"
            if UNKNOWN in target
            else f"registered: {key}"
            for key, target in observation.items()
            if target
        )

    def act(self, incident: Incident[Scene], observation: Observation) -> None:
        """Deregisters; one refusal stops no other."""

        def leave(key: str) -> None:
            if key.startswith(CLASSIC):
                with expecting("InvalidInstance"):
                    incident.client("elb").deregister_instances_from_load_balancer(
                        LoadBalancerName=key.removeprefix(CLASSIC),
                        Instances=[{"InstanceId": incident.target}],
                    )
            else:
                incident.client("elbv2").deregister_targets(
                    TargetGroupArn=key.split()[0], Targets=[observation[key]]
                )

        incident.aws.each(leave, _registered(observation))

    def undo(self, incident: Incident[Scene], before: Observation) -> None:
        """Registers with the same target groups, ports and zones."""

        def back(key: str) -> None:
            if key.startswith(CLASSIC):
                incident.client("elb").register_instances_with_load_balancer(
                    LoadBalancerName=key.removeprefix(CLASSIC),
                    Instances=[{"InstanceId": incident.target}],
                )
            else:
                incident.client("elbv2").register_targets(
                    TargetGroupArn=key.split()[0], Targets=[before[key]]
                )

        incident.aws.each(back, _registered(before))

    def restored(self, before: Json, now: Json) -> bool:
        """What was not known then can't be restored, and nothing was changed of it."""
        return bool(before == now or (before and UNKNOWN in before))


def _registered(observation: Observation) -> list[str]:
    return [key for key, target in observation.items() if target and UNKNOWN not in target]


def _targets(incident: Incident[Scene]) -> JsonObject:
    """Registrations with target groups, by instance id and by any address of the instance."""
    mine = {incident.target, *_addresses(incident)}
    pages = incident.client("elbv2").get_paginator("describe_target_groups").paginate()
    groups = [
        str(group["TargetGroupArn"])
        for page in pages
        for group in page["TargetGroups"]
        if group.get("TargetType", "instance") in ("instance", "ip")
    ]
    found: JsonObject = {}
    for start in range(0, len(groups), AT_ONCE):
        some = groups[start : start + AT_ONCE]
        asked = {group: incident.aws.spawn(_in_group, incident, group, mine) for group in some}
        for group, answer in asked.items():
            found |= _or_unknown(group, answer)
    return found


def _or_unknown(what: str, answer: Future[JsonObject]) -> JsonObject:
    try:
        return answer.result()
    except Exception as error:
        return {what: {UNKNOWN: explain(error)}}


def _in_group(incident: Incident[Scene], group: str, mine: set[str]) -> JsonObject:
    """Our registrations with a group; none when it was deleted meanwhile."""
    try:
        answer = incident.client("elbv2").describe_target_health(TargetGroupArn=group)
    except Exception as error:
        if code_of(error) == "TargetGroupNotFound":
            return {}
        raise
    targets = [
        described["Target"]
        for described in answer["TargetHealthDescriptions"]
        if described["TargetHealth"]["State"] != "draining"
        and described["TargetHealth"].get("Reason") != "Target.NotRegistered"
    ]
    return {f"{group} {t['Id']}:{t.get('Port', '')}": t for t in targets if t["Id"] in mine}


def _addresses(incident: Incident[Scene]) -> Iterator[str]:
    for interface in incident.subject.interfaces:
        yield from (str(a["PrivateIpAddress"]) for a in interface.get("PrivateIpAddresses", ()))
        yield from (str(a["Ipv6Address"]) for a in interface.get("Ipv6Addresses", ()))


def _classic(incident: Incident[Scene]) -> JsonObject:
    pages = incident.client("elb").get_paginator("describe_load_balancers").paginate()
    return {
        f"{CLASSIC}{balancer['LoadBalancerName']}": {"InstanceId": incident.target}
        for page in pages
        for balancer in page["LoadBalancerDescriptions"]
        if any(i["InstanceId"] == incident.target for i in balancer.get("Instances", ()))
    }
