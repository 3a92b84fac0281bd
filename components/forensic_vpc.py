"""A VPC in which evidence is examined: private, with no way to the internet and every flow logged.

People reach a workstation in it through Systems Manager; it reaches the vault through S3.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
import pulumi_aws as aws

from components.endpoints import Tier, interface_policy, s3_policy, service_name
from components.iam import Deployment, document
from components.isolation_groups import IsolationGroups, IsolationGroupsArgs
from contract import LOG_GROUP_PATH, WORKSTATION, Purpose, kit_tags

HTTPS = 443
LOG_GROUP_PREFIX = f"{LOG_GROUP_PATH}forensic-vpc-"


@dataclass(frozen=True)
class ForensicVpcArgs:
    """`subnets` maps a zone to its CIDR within `cidr`, `endpoints` a service to its one zone.

    The services are those of `tier` that the region has.
    `log_days` is a retention that CloudWatch Logs knows.
    """

    region: str
    deployment: Deployment
    cidr: str
    subnets: Mapping[str, str]
    vault_bucket: str
    key_arn: pulumi.Input[str]
    flow_log_role_arn: pulumi.Input[str]
    tier: Tier = Tier.COLD
    endpoints: Mapping[str, str] = field(default_factory=dict)
    organization: str = ""
    log_days: int = 400
    responder_cidrs: Sequence[str] = ()
    tags: Mapping[str, str] = field(default_factory=dict)


class ForensicVpc(pulumi.ComponentResource):
    """`vpc_id`, `subnets` (zone to id), `workstation_group`, `endpoint_group`."""

    def __init__(
        self, name: str, args: ForensicVpcArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        props = {"region": args.region, "cidr": args.cidr, "tier": args.tier.value}
        super().__init__("cordon:components:ForensicVpc", name, props, opts)
        self._name, self._args = name, args
        self._child = pulumi.ResourceOptions(parent=self)
        vpc = aws.ec2.Vpc(
            f"{name}-vpc",
            region=args.region,
            cidr_block=args.cidr,
            enable_dns_support=True,
            enable_dns_hostnames=True,
            tags=self._tags(Purpose.FORENSICS, "cordon-forensics"),
            opts=self._child,
        )
        self.vpc_id = vpc.id
        self._strip_default_group()
        self._log_flows()
        self.subnets = self._subnets()
        table = self._route_table()
        gateway = self._gateway(table)
        self.endpoint_group = self._endpoint_group()
        self.workstation_group = self._workstation_group(gateway)
        self._interfaces()
        self.groups = IsolationGroups(
            f"{name}-isolation",
            IsolationGroupsArgs(args.region, {"vpc": vpc.id}, args.responder_cidrs, args.tags),
            opts=self._child,
        )
        self.register_outputs({"vpcId": self.vpc_id, "subnets": self.subnets})

    def _tags(self, purpose: Purpose, label: str) -> dict[str, str]:
        return {**kit_tags(purpose, self._args.tags), "Name": label}

    def _strip_default_group(self) -> None:
        aws.ec2.DefaultSecurityGroup(
            f"{self._name}-default-group",
            region=self._args.region,
            vpc_id=self.vpc_id,
            ingress=[],
            egress=[],
            tags=self._tags(Purpose.FORENSICS, "cordon-default-stripped"),
            opts=self._child,
        )

    def _log_flows(self) -> None:
        group = aws.cloudwatch.LogGroup(
            f"{self._name}-flow-logs",
            region=self._args.region,
            name_prefix=LOG_GROUP_PREFIX,
            kms_key_id=self._args.key_arn,
            retention_in_days=self._args.log_days,
            tags=self._tags(Purpose.FORENSICS, "cordon-flow-logs"),
            # Who came to the evidence is part of the evidence.
            opts=pulumi.ResourceOptions(parent=self, retain_on_delete=True),
        )
        aws.ec2.FlowLog(
            f"{self._name}-flow-log",
            region=self._args.region,
            vpc_id=self.vpc_id,
            traffic_type="ALL",
            log_destination=group.arn,
            iam_role_arn=self._args.flow_log_role_arn,
            max_aggregation_interval=60,
            tags=self._tags(Purpose.FORENSICS, "cordon-flow-log"),
            opts=self._child,
        )

    def _subnets(self) -> dict[str, pulumi.Output[str]]:
        return {
            zone: aws.ec2.Subnet(
                f"{self._name}-subnet-{zone}",
                region=self._args.region,
                vpc_id=self.vpc_id,
                availability_zone=zone,
                cidr_block=cidr,
                map_public_ip_on_launch=False,
                tags=self._tags(Purpose.FORENSICS, f"cordon-forensics-{zone}"),
                opts=self._child,
            ).id
            for zone, cidr in sorted(self._args.subnets.items())
        }

    def _route_table(self) -> aws.ec2.RouteTable:
        """One table for all subnets. `routes=[]`: a way out that somebody adds is drift."""
        table = aws.ec2.RouteTable(
            f"{self._name}-routes",
            region=self._args.region,
            vpc_id=self.vpc_id,
            routes=[],
            tags=self._tags(Purpose.FORENSICS, "cordon-forensics"),
            opts=self._child,
        )
        for zone, subnet in self.subnets.items():
            aws.ec2.RouteTableAssociation(
                f"{self._name}-routes-{zone}",
                region=self._args.region,
                route_table_id=table.id,
                subnet_id=subnet,
                opts=self._child,
            )
        return table

    def _gateway(self, table: aws.ec2.RouteTable) -> aws.ec2.VpcEndpoint:
        args = self._args
        return aws.ec2.VpcEndpoint(
            f"{self._name}-s3",
            region=args.region,
            vpc_id=self.vpc_id,
            service_name=service_name(args.region, "s3"),
            vpc_endpoint_type="Gateway",
            route_table_ids=[table.id],
            policy=document(s3_policy(args.deployment, args.vault_bucket, args.organization)),
            tags=self._tags(Purpose.ENDPOINT, "cordon-s3"),
            opts=self._child,
        )

    def _endpoint_group(self) -> pulumi.Output[str]:
        return aws.ec2.SecurityGroup(
            f"{self._name}-endpoint-group",
            region=self._args.region,
            vpc_id=self.vpc_id,
            name="cordon-endpoint",
            description="Cordon: HTTPS from the forensic VPC to its endpoints.",
            ingress=[
                aws.ec2.SecurityGroupIngressArgs(
                    description="HTTPS from this VPC",
                    protocol="tcp",
                    from_port=HTTPS,
                    to_port=HTTPS,
                    cidr_blocks=[self._args.cidr],
                )
            ],
            egress=[],
            tags=self._tags(Purpose.ENDPOINT, "cordon-endpoint"),
            opts=self._child,
        ).id

    def _workstation_group(self, gateway: aws.ec2.VpcEndpoint) -> pulumi.Output[str]:
        """Nothing in: people come through Systems Manager, which the workstation calls."""
        return aws.ec2.SecurityGroup(
            f"{self._name}-workstation-group",
            region=self._args.region,
            vpc_id=self.vpc_id,
            name=WORKSTATION,
            description="Cordon: a forensic workstation; HTTPS to endpoints and S3 only.",
            ingress=[],
            egress=[
                aws.ec2.SecurityGroupEgressArgs(
                    description="HTTPS to the endpoints",
                    protocol="tcp",
                    from_port=HTTPS,
                    to_port=HTTPS,
                    security_groups=[self.endpoint_group],
                ),
                aws.ec2.SecurityGroupEgressArgs(
                    description="HTTPS to S3, through the gateway endpoint",
                    protocol="tcp",
                    from_port=HTTPS,
                    to_port=HTTPS,
                    prefix_list_ids=[gateway.prefix_list_id],
                ),
            ],
            tags=self._tags(Purpose.WORKSTATION, WORKSTATION),
            opts=self._child,
        ).id

    def _interfaces(self) -> None:
        args = self._args
        for service, zone in args.endpoints.items():
            aws.ec2.VpcEndpoint(
                f"{self._name}-{service}",
                region=args.region,
                vpc_id=self.vpc_id,
                service_name=service_name(args.region, service),
                vpc_endpoint_type="Interface",
                # One zone: each further one costs as much again, and the others reach it.
                subnet_ids=[self.subnets[zone]],
                security_group_ids=[self.endpoint_group],
                private_dns_enabled=True,
                policy=document(interface_policy(args.deployment)),
                tags=self._tags(Purpose.ENDPOINT, f"cordon-{service}"),
                # EC2 admits 4 of these calls at once, then 0.3 a second: give retries time.
                opts=pulumi.ResourceOptions(
                    parent=self, custom_timeouts=pulumi.CustomTimeouts(create="20m")
                ),
            )
