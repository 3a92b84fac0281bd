"""Opens the way to the workstation: the endpoints of Systems Manager in the forensic VPC.

A cold preparation has none, because they cost money while idle; a warm one has them already.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contract import Purpose
from responders.action import Action, Incident, Observation
from responders.aws import SomeFailed, code_of, explain
from responders.errors import Skip
from responders.permissions import allow, ec2, purpose_is
from responders.volumes import workstation
from responders.volumes.workstation import NEW, Workstation

if TYPE_CHECKING:
    from types_boto3_ec2 import EC2Client
    from types_boto3_ec2.type_defs import CreateVpcEndpointRequestTypeDef, VpcEndpointTypeDef

SERVICES = ("ssm", "ssmmessages")
OPENS = 600.0
"""Seconds in which an endpoint must be available; it takes some minutes."""
EVERY = 10.0


@dataclass(frozen=True)
class OpenEndpoints(Action[Workstation]):
    """The forensic VPC has both endpoints that Session Manager needs."""

    zone: str = ""
    """Availability zone; empty: the first in which a subnet is prepared."""

    name = "endpoints"
    permissions = (
        allow(
            "ec2:CreateVpcEndpoint",
            on=ec2("vpc-endpoint"),
            when=NEW,
            because="makes the way to the workstation, tagged as the case's",
        ),
        allow(
            "ec2:CreateVpcEndpoint",
            on=(ec2("vpc"), ec2("subnet"), ec2("security-group")),
            when=purpose_is(Purpose.FORENSICS, Purpose.ENDPOINT),
            because="only in the forensic VPC, with the endpoints' group",
        ),
        allow(
            "ec2:DescribeVpcs",
            "ec2:DescribeSubnets",
            "ec2:DescribeSecurityGroups",
            because="EC2 looks at these in the caller's name as it makes an endpoint",
        ),
        allow(
            "route53:AssociateVPCWithHostedZone",
            on="arn:{partition}:route53:::hostedzone/*",
            because="an endpoint with private DNS joins the VPC to its service's zone",
            risk="can join a VPC of this account to any private zone that admits it",
        ),
    )

    def observe(self, incident: Incident[Workstation]) -> Observation:
        """Service to the state of its endpoint; None where there is none."""
        described = endpoints(incident.client("ec2"), incident.manifest.forensic_vpc)
        states = {str(e["ServiceName"]).rsplit(".", 1)[-1]: str(e["State"]) for e in described}
        return {service: states.get(service) for service in SERVICES}

    def lacks(self, incident: Incident[Workstation], observation: Observation) -> tuple[str, ...]:
        """A line for each endpoint that is missing or not available yet."""
        return tuple(
            f"the endpoint of {service} is {state}" if state else f"there is no endpoint {service}"
            for service, state in observation.items()
            if (state or "").lower() != "available"
        )

    def act(self, incident: Incident[Workstation], observation: Observation) -> None:
        """Makes what lacks, one after the other, and waits for all; one refusal stops no other."""
        failures = []
        for service, state in observation.items():
            if state is not None:
                continue
            try:  # not at the same time: EC2 throttles this call
                self._create(incident, service)
            except Exception as error:
                failures.append(f"{service}: {explain(error)}")
        if failures:
            raise SomeFailed(failures)

        def available() -> bool:
            incident.watch("opening the endpoints", None)
            return not self.lacks(incident, self.observe(incident))

        incident.wait_for(available, seconds=OPENS, every=EVERY)

    def _create(self, incident: Incident[Workstation], service: str) -> None:
        """Makes the endpoint in one zone, the workstation's own if that offers the service.

        Not every zone does (EC2 names the subnet that it refuses), and one zone serves them all.
        """
        zones = sorted(incident.manifest.subnets, key=lambda zone: (zone != self.zone, zone))
        for zone in zones:
            try:
                incident.client("ec2").create_vpc_endpoint(**_endpoint(incident, service, zone))
            except Exception as error:
                if not _zone_is_refused(error) or zone == zones[-1]:
                    raise
            else:
                return

    def undo(self, incident: Incident[Workstation], before: Observation) -> None:
        """Nothing: closing is a command of its own."""
        raise Skip("`cordon workstation close` removes them")


def endpoints(client: EC2Client, vpc: str) -> list[VpcEndpointTypeDef]:
    """The interface endpoints of a VPC that are there or on their way."""
    pages = client.get_paginator("describe_vpc_endpoints").paginate(
        Filters=[{"Name": "vpc-id", "Values": [vpc]}]
    )
    return [
        e
        for page in pages
        for e in page["VpcEndpoints"]
        if e["VpcEndpointType"] == "Interface"
        and e["State"].lower() not in ("deleting", "deleted", "failed", "rejected", "expired")
    ]


def _zone_is_refused(error: Exception) -> bool:
    return code_of(error) == "InvalidParameter" and "availability zone" in str(error)


def _endpoint(
    incident: Incident[Workstation], service: str, zone: str
) -> CreateVpcEndpointRequestTypeDef:
    manifest = incident.manifest
    return {
        "VpcEndpointType": "Interface",
        "VpcId": manifest.forensic_vpc,
        "ServiceName": f"com.amazonaws.{incident.region}.{service}",
        "SubnetIds": [manifest.subnets[zone]],
        "SecurityGroupIds": [manifest.endpoint_group],
        "PrivateDnsEnabled": True,
        "PolicyDocument": endpoint_policy(incident.account),
        "ClientToken": workstation.token(incident, service, zone),
        "TagSpecifications": [{"ResourceType": "vpc-endpoint", "Tags": workstation.tags(incident)}],
    }


def endpoint_policy(account: str) -> str:
    """Lets out only with credentials of this account: planted ones of others don't get out."""
    own = {
        "Effect": "Allow",
        "Principal": "*",
        "Action": "*",
        "Resource": "*",
        "Condition": {"StringEquals": {"aws:PrincipalAccount": account}},
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [own]})
