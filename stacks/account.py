"""What every account has prepared: isolation groups in each VPC, and the roles of a response."""

from __future__ import annotations

from typing import Any

import pulumi

from components.isolation_groups import IsolationGroups, IsolationGroupsArgs
from components.people import PeopleRole
from components.responder_role import ResponderRole, ResponderRoleArgs
from responders.permissions import declared
from stacks.config import Settings
from stacks.foundation import Foundation


def account(settings: Settings, foundation: Foundation) -> dict[str, Any]:
    """Declares them. Exports: `groups` (region, VPC, purpose), `ignoredVpcs`, `responderRole`."""
    estate = foundation.estate
    groups = {region: _groups(settings, foundation, region) for region in estate.regions}
    role = ResponderRole(
        "responder",
        ResponderRoleArgs(
            place=estate.place,
            people=people(settings, foundation, settings.access.responders),
            permissions=declared(),
            vault_bucket=foundation.vault.name,
            vault_key_arn=foundation.vault.key_arn,
            tags=settings.tags,
        ),
    )
    ignored = {region: list(vpcs.ignored) for region, vpcs in estate.vpcs.items() if vpcs.ignored}
    return {"groups": groups, "ignoredVpcs": ignored, "responderRole": role.arn}


def people(settings: Settings, foundation: Foundation, principals: tuple[str, ...]) -> PeopleRole:
    """How these principals assume a role of this account."""
    access = settings.access
    return PeopleRole(
        place=foundation.estate.place,
        principals=principals,
        require_mfa=access.require_mfa,
        external_id=access.external_id,
        boundary=access.boundary,
        hours=access.session_hours,
    )


def _groups(
    settings: Settings, foundation: Foundation, region: str
) -> dict[str, dict[str, pulumi.Output[str]]]:
    vpcs = foundation.estate.vpcs[region].prepared
    made = IsolationGroups(
        f"isolation-{region}",
        IsolationGroupsArgs(
            region=region,
            vpcs={vpc: vpc for vpc in vpcs},
            responder_cidrs=settings.responder_cidrs,
            tags=settings.tags,
        ),
    )
    return {v: {"isolate": made.isolate[v], "untrack": made.untrack[v]} for v in vpcs}
