"""What every account has prepared: isolation groups in each VPC, and the roles of a response."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi

from components.ebs_encryption import EbsEncryption, EbsEncryptionArgs
from components.isolated_profiles import IsolatedProfiles, IsolatedProfilesArgs
from components.isolation_groups import IsolationGroups, IsolationGroupsArgs
from components.responder_role import ResponderRole, ResponderRoleArgs
from components.vpc_watch import VpcWatch, VpcWatchArgs
from responders.permissions import by_duty
from stacks.before import region_tags
from stacks.config import ORGANIZATION, Settings
from stacks.foundation import Foundation, people

Groups = dict[str, dict[str, pulumi.Output[str]]]
"""A VPC's id to its two groups' ids, by purpose."""


@dataclass(frozen=True)
class Account:
    """What was declared; empty without this stack."""

    groups: Mapping[str, Groups] = field(default_factory=dict)
    ignored: Mapping[str, list[str]] = field(default_factory=dict)
    responder_role: pulumi.Input[str] = ""
    isolated_profiles: Mapping[str, pulumi.Output[str]] = field(default_factory=dict)
    watches: Mapping[str, pulumi.Output[str]] = field(default_factory=dict)
    policies: Sequence[pulumi.Output[str]] = ()
    """The documents of the responder role's policies."""

    def manifest(self) -> dict[str, Any]:
        """The fields of every region's manifest that come from here."""
        return {"isolated_profiles": dict(self.isolated_profiles)}

    def exports(self) -> dict[str, Any]:
        """`groups` by region, VPC and purpose, `ignoredVpcs` by region, roles, watches."""
        return {
            "groups": dict(self.groups),
            "ignoredVpcs": dict(self.ignored),
            "responderRole": self.responder_role,
            "isolatedProfiles": dict(self.isolated_profiles),
            "watches": dict(self.watches),
        }


def account(settings: Settings, foundation: Foundation) -> Account:
    """Declares it."""
    estate = foundation.estate
    for region in estate.regions if settings.ebs_default_encryption else ():
        EbsEncryption(f"ebs-{region}", EbsEncryptionArgs(region, foundation.keys[region]))
    responder = _responder(settings, foundation)
    return Account(
        groups={region: _groups(settings, foundation, region) for region in estate.regions},
        ignored={r: list(vpcs.ignored) for r, vpcs in estate.vpcs.items() if vpcs.ignored},
        responder_role=responder.arn,
        policies=responder.policies,
        isolated_profiles=IsolatedProfiles(
            "isolated",
            IsolatedProfilesArgs(estate.deployment, settings.access.boundary, settings.tags),
        ).profiles,
        watches={
            region: _watch(settings, foundation, region)
            for region in (estate.regions if settings.watch != "off" else ())
        },
    )


def _responder(settings: Settings, foundation: Foundation) -> ResponderRole:
    args = ResponderRoleArgs(
        deployment=foundation.estate.deployment,
        people=people(settings, foundation.estate, settings.access.responders),
        permissions={duty.value: needs for duty, needs in by_duty().items()},
        vault_bucket=foundation.vault.name,
        vault_key_arn=foundation.vault.key_arn,
        evidence_accounts=tuple(a for a in settings.evidence_accounts if a != ORGANIZATION),
        evidence_organization=(
            settings.organization_id if ORGANIZATION in settings.evidence_accounts else ""
        ),
        trail_keys=settings.trail_keys,
        tags={**settings.tags, **region_tags(foundation.estate.regions)},
    )
    return ResponderRole("responder", args)


def _groups(settings: Settings, foundation: Foundation, region: str) -> Groups:
    vpcs = foundation.estate.vpcs[region].prepared
    args = IsolationGroupsArgs(
        region=region,
        vpcs={vpc: vpc for vpc in vpcs},
        responder_cidrs=settings.responder_cidrs,
        tags=settings.tags,
    )
    groups = IsolationGroups(f"isolation-{region}", args)
    return {v: {"isolate": groups.isolate[v], "untrack": groups.untrack[v]} for v in vpcs}


def _watch(settings: Settings, foundation: Foundation, region: str) -> pulumi.Output[str]:
    args = VpcWatchArgs(
        region=region,
        deployment=foundation.estate.deployment,
        target=settings.watch,
        key_arn=foundation.keys[region],
        emails=settings.watch_emails,
        tags=settings.tags,
    )
    return VpcWatch(f"watch-{region}", args).target_arn
