"""The policies of a user, a role or a group, with what they say."""

from __future__ import annotations

from typing import Any


def policies_of(client: Any, kind: str, name: str) -> dict[str, Any]:
    """Inline policies by name, attached ones by ARN. `kind` is user, role or group."""
    who = {f"{kind.title()}Name": name}
    inline = client.get_paginator(f"list_{kind}_policies").paginate(**who)
    attached = client.get_paginator(f"list_attached_{kind}_policies").paginate(**who)
    read = getattr(client, f"get_{kind}_policy")
    return {
        "inline": {
            policy: read(**who, PolicyName=policy)["PolicyDocument"]
            for page in inline
            for policy in page["PolicyNames"]
        },
        "attached": {
            policy["PolicyArn"]: _document(client, policy["PolicyArn"])
            for page in attached
            for policy in page["AttachedPolicies"]
        },
    }


def _document(client: Any, arn: str) -> Any:
    version = client.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    return client.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
