"""Where evidence is examined: a forensic VPC per region, and the workstations' profile."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Network
from typing import Any

import pulumi

from components.flow_log_role import FlowLogRole, FlowLogRoleArgs
from components.forensic_vpc import ForensicVpc, ForensicVpcArgs
from components.workstation_profile import WorkstationProfile, WorkstationProfileArgs
from stacks.cidrs import plan, zone_networks
from stacks.config import Settings
from stacks.estate import Estate
from stacks.foundation import Foundation


@dataclass(frozen=True)
class Forensics:
    """What was declared: VPCs by region, and the profile's name; empty without this stack."""

    vpcs: Mapping[str, ForensicVpc] = field(default_factory=dict)
    profile: pulumi.Input[str] = ""
    policy: pulumi.Input[str] = ""
    """The document of the workstation's role."""

    def manifest(self, region: str) -> dict[str, Any]:
        """The fields of the region's manifest that come from here."""
        vpc = self.vpcs.get(region)
        if vpc is None:
            return {}
        return {
            "forensic_vpc": vpc.vpc_id,
            "subnets": vpc.subnets,
            "workstation_group": vpc.workstation_group,
            "endpoint_group": vpc.endpoint_group,
            "workstation_profile": self.profile,
        }

    def exports(self) -> dict[str, Any]:
        """`forensicVpcs` by region, and `workstationProfile`."""
        vpcs = {r: {"vpc": v.vpc_id, "subnets": v.subnets} for r, v in self.vpcs.items()}
        return {"forensicVpcs": vpcs, "workstationProfile": self.profile}


def networks(settings: Settings, estate: Estate) -> dict[str, IPv4Network]:
    """The addresses of each forensic region's VPC; BadConfig when they don't fit."""
    return plan(settings.network.base, estate.zones, settings.network.slots)


def forensics(settings: Settings, foundation: Foundation) -> Forensics:
    """Declares the VPCs of all regions whose zones were looked up, and what they share."""
    estate, boundary = foundation.estate, settings.access.boundary
    flow_logs = FlowLogRole(
        "flow-logs", FlowLogRoleArgs(estate.deployment, boundary, settings.tags)
    )
    profile = WorkstationProfile(
        "workstation",
        WorkstationProfileArgs(
            deployment=estate.deployment,
            vault_bucket=foundation.vault.name,
            vault_region=foundation.vault.region,
            vault_key_arn=foundation.vault.key_arn,
            boundary=boundary,
            tags=settings.tags,
        ),
    )
    planned = networks(settings, estate)
    vpcs = {
        region: _vpc(settings, foundation, region, planned[region], flow_logs.arn)
        for region in estate.zones
    }
    return Forensics(vpcs, profile.profile, profile.policy)


def _vpc(
    settings: Settings,
    foundation: Foundation,
    region: str,
    network: IPv4Network,
    flow_log_role_arn: pulumi.Output[str],
) -> ForensicVpc:
    zones = foundation.estate.zones[region]
    return ForensicVpc(
        f"forensics-{region}",
        ForensicVpcArgs(
            region=region,
            deployment=foundation.estate.deployment,
            cidr=str(network),
            subnets=zone_networks(network, zones.names),
            endpoints=zones.endpoints,
            vault_bucket=foundation.vault.name,
            key_arn=foundation.keys[region],
            flow_log_role_arn=flow_log_role_arn,
            tier=settings.network.tier_of(region),
            organization=settings.organization_id,
            log_days=settings.log_days,
            responder_cidrs=settings.responder_cidrs,
            tags=settings.tags,
        ),
    )
