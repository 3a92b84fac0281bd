"""The policies of a user, a role or a group, with what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING

from responders.aws import pages
from responders.json_values import JsonObject

if TYPE_CHECKING:
    from types_boto3_iam import IAMClient
    from types_boto3_iam.type_defs import PolicyDocumentTypeDef


def policies_of(client: IAMClient, kind: str, name: str) -> JsonObject:
    """Inline policies by name, attached ones by ARN. `kind` is user, role or group."""
    who = {f"{kind.title()}Name": name}
    inline = pages(client, f"list_{kind}_policies", "PolicyNames", **who)
    attached = pages(client, f"list_attached_{kind}_policies", "AttachedPolicies", **who)
    read = getattr(client, f"get_{kind}_policy")
    return {
        "inline": {policy: read(**who, PolicyName=policy)["PolicyDocument"] for policy in inline},
        "attached": {
            policy["PolicyArn"]: _document(client, policy["PolicyArn"]) for policy in attached
        },
    }


def _document(client: IAMClient, arn: str) -> PolicyDocumentTypeDef:
    version = client.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    return client.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
