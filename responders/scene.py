"""What one instance looks like: each question is asked once, all of them at the same time.

This is the subject of every incident that is about an instance.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar, cast

from responders import prepared
from responders.action import Subject
from responders.aws import Aws, explain
from responders.clients import Clients
from responders.connection import hurried
from responders.host import branch_interfaces
from responders.permissions import allow
from responders.trust.trust import Trust

if TYPE_CHECKING:
    from types_boto3_autoscaling.type_defs import AutoScalingInstanceDetailsTypeDef
    from types_boto3_ec2.type_defs import FilterTypeDef, InstanceTypeDef, NetworkInterfaceTypeDef

PERMISSIONS = (
    allow(
        "ec2:DescribeInstances",
        "ec2:DescribeNetworkInterfaces",
        "autoscaling:DescribeAutoScalingInstances",
        because="finds the instance, its interfaces and its fleet",
    ),
)
T = TypeVar("T")

FRESH_FOR = 5.0
"""Seconds for which the answers to a first look may be believed; later looks ask anew."""


class InstanceGone(Exception):
    """The instance is not there any more."""


class Scene(Subject):
    """Answers about one instance, cached for the life of this object.

    The runner makes a new one for every look after a change, so that nobody believes an old answer.
    """

    def __init__(
        self, aws: Aws, region: str, instance_id: str, prepared_region: Trust | None = None
    ) -> None:
        self.aws, self.region, self.instance_id = aws, region, instance_id
        self.prepared = prepared_region or Trust(aws, region)
        self._made = time.monotonic()
        self.unseen: list[str] = []
        """Lines about interfaces that may be there and could not be asked for."""
        self._answers: dict[str, Future[Any]] = {}
        self._lock = threading.Lock()

    def _once(self, name: str, ask: Callable[[], T]) -> Future[T]:
        with self._lock:
            if name not in self._answers:
                # Containment waits for all of these, and most have a substitute.
                with hurried():
                    self._answers[name] = self.aws.spawn(ask)
            return self._answers[name]

    def prefetch(self) -> None:
        """Asks all that the containment path needs, at once, without waiting."""
        for name, ask in (
            ("instance", self._instance),
            ("interfaces", self._interfaces),
            ("fleet", self._fleet),
            ("groups", self._groups),
        ):
            self._once(name, ask)

    def afresh(self) -> Scene:
        """The same instance, with everything to be asked anew but what its region has prepared."""
        return Scene(self.aws, self.region, self.instance_id, self.prepared)

    @property
    def is_fresh(self) -> bool:
        """Whether its answers are so new that a first look may believe them."""
        return time.monotonic() - self._made <= FRESH_FOR

    def account(self) -> str:
        """The owner of its interfaces; raises when they can't be described."""
        return next((str(i["OwnerId"]) for i in self.interfaces), "")

    def names(self) -> tuple[str, ...]:
        """Every address of its interfaces: private, public and IPv6."""
        try:
            interfaces = self.interfaces
        except Exception:  # the steps that need the interfaces tell why they can't be described
            return ()
        return tuple(address for interface in interfaces for address in _addresses(interface))

    @property
    def client(self) -> Clients:
        """The shared client in the scene's region."""
        return self.aws.clients_in(self.region)

    @property
    def instance(self) -> InstanceTypeDef:
        """The instance as DescribeInstances says; `InstanceGone` when there is none."""
        return self._once("instance", self._instance).result()

    @property
    def interfaces(self) -> list[NetworkInterfaceTypeDef]:
        """Every network interface of the instance, by id: attached, or a branch of a trunk."""
        return self._once("interfaces", self._interfaces).result()

    @property
    def fleet(self) -> AutoScalingInstanceDetailsTypeDef | None:
        """The instance's entry in its Auto Scaling group, if it is in one."""
        return self._once("fleet", self._fleet).result()

    @property
    def groups(self) -> list[prepared.Group]:
        """All security groups of the region with a name of the kit's."""
        return self._once("groups", self._groups).result()

    def _instance(self) -> InstanceTypeDef:
        answer = self.client("ec2").describe_instances(
            Filters=[{"Name": "instance-id", "Values": [self.instance_id]}]
        )
        found = [i for r in answer["Reservations"] for i in r["Instances"]]
        if not found or found[0]["State"]["Name"] in ("terminated", "shutting-down"):
            raise InstanceGone(f"{self.instance_id} is not there any more: it was terminated")
        return found[0]

    def _interfaces(self) -> list[NetworkInterfaceTypeDef]:
        try:
            interfaces = self._described_interfaces()
        except Exception as error:
            try:
                interfaces = _as_interfaces(self.instance)
            except Exception:
                raise error from None
            self.unseen = [
                "which branch interfaces hang on a trunk is not known, for its interfaces are only "
                f"known from the instance: {explain(error)}"
            ]
        return sorted(interfaces, key=lambda i: i["NetworkInterfaceId"])

    def _described_interfaces(self) -> list[NetworkInterfaceTypeDef]:
        pages = self.client("ec2").get_paginator("describe_network_interfaces")
        attached: list[FilterTypeDef] = [
            {"Name": "attachment.instance-id", "Values": [self.instance_id]}
        ]
        found = [i for page in pages.paginate(Filters=attached) for i in page["NetworkInterfaces"]]
        trunk = [str(i["NetworkInterfaceId"]) for i in found if i.get("InterfaceType") == "trunk"]
        if trunk:
            branches, self.unseen = branch_interfaces.branches(self.client("ec2"), trunk)
            found += branches
        return found

    def _fleet(self) -> AutoScalingInstanceDetailsTypeDef | None:
        answer = self.client("autoscaling").describe_auto_scaling_instances(
            InstanceIds=[self.instance_id]
        )
        return next(iter(answer["AutoScalingInstances"]), None)

    def _groups(self) -> list[prepared.Group]:
        try:
            return prepared.groups(self.aws, self.region)
        except Exception as error:
            vpcs = {str(i["VpcId"]) for i in self.interfaces}
            try:
                return prepared.groups_by_rules(self.aws, self.region, vpcs)
            except Exception:
                raise error from None


def _addresses(interface: NetworkInterfaceTypeDef) -> Iterator[str]:
    for entry in interface.get("PrivateIpAddresses", ()):
        public = entry.get("Association", {}).get("PublicIp", "")
        yield from filter(None, (entry.get("PrivateIpAddress", ""), public))
    for six in interface.get("Ipv6Addresses", ()):
        yield from filter(None, (six.get("Ipv6Address", ""),))


def _as_interfaces(instance: InstanceTypeDef) -> list[NetworkInterfaceTypeDef]:
    """The interfaces in an instance's description, which has all that containment reads of them:
    id, VPC, subnet, owner, groups, addresses, and idle timeouts."""
    return [cast("NetworkInterfaceTypeDef", i) for i in instance.get("NetworkInterfaces", ())]
