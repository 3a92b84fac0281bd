"""Keys and their aliases."""

from __future__ import annotations

from lab.engine.resource import Created, Existing, Kind, New, exists, nothing


def _key(new: New) -> Created:
    kms = new.client("kms")
    key = kms.create_key(
        Tags=[{"TagKey": t["Key"], "TagValue": t["Value"]} for t in new.tags],
        **new.renamed(policy="Policy", description="Description", multiRegion="MultiRegion"),
    )["KeyMetadata"]
    if new.inputs.get("enableKeyRotation"):
        kms.enable_key_rotation(KeyId=key["KeyId"])
    return key["KeyId"], {"arn": key["Arn"], "keyId": key["KeyId"]}


def _key_tags(existing: Existing) -> None:
    kms = existing.client("kms")
    tags = [{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in existing.tags]
    kms.tag_resource(KeyId=existing.id, Tags=tags)
    if existing.dropped_tags:
        kms.untag_resource(KeyId=existing.id, TagKeys=existing.dropped_tags)


def _is_usable(existing: Existing) -> bool:
    """A key that waits for its deletion counts as gone, as it does for the AWS provider."""
    state = existing.client("kms").describe_key(KeyId=existing.id)["KeyMetadata"]["KeyState"]
    return bool(state != "PendingDeletion")


def _rotation(existing: Existing) -> None:
    kms = existing.client("kms")
    if existing.inputs.get("enableKeyRotation"):
        kms.enable_key_rotation(KeyId=existing.id)
    else:
        kms.disable_key_rotation(KeyId=existing.id)


def _schedule_deletion(existing: Existing) -> None:
    days = existing.inputs.get("deletionWindowInDays", 30)
    existing.client("kms").schedule_key_deletion(KeyId=existing.id, PendingWindowInDays=days)


def _alias(new: New) -> Created:
    kms, target = new.client("kms"), new.inputs["targetKeyId"]
    kms.create_alias(AliasName=new.name, TargetKeyId=target)
    arn = f"arn:aws:kms:{new.region}:{new.account}:{new.name}"
    key = kms.describe_key(KeyId=target)["KeyMetadata"]["Arn"]
    return new.name, {"arn": arn, "name": new.name, "targetKeyArn": key}


def _alias_exists(existing: Existing) -> bool:
    pages = existing.client("kms").get_paginator("list_aliases").paginate()
    return any(alias["AliasName"] == existing.id for page in pages for alias in page["Aliases"])


KINDS = {
    "aws:kms/key:Key": Kind(
        _key,
        exists(_is_usable),
        _schedule_deletion,
        {
            "policy": lambda existing: existing.client("kms").put_key_policy(
                KeyId=existing.id, PolicyName="default", Policy=existing.inputs["policy"]
            ),
            "description": lambda existing: existing.client("kms").update_key_description(
                KeyId=existing.id, Description=existing.inputs.get("description", "")
            ),
            "enableKeyRotation": _rotation,
            "deletionWindowInDays": nothing,
            "tags": _key_tags,
        },
        absent=["NotFoundException"],
    ),
    "aws:kms/alias:Alias": Kind(
        _alias,
        exists(_alias_exists),
        lambda existing: existing.client("kms").delete_alias(AliasName=existing.id),
        {
            "targetKeyId": lambda existing: existing.client("kms").update_alias(
                AliasName=existing.id, TargetKeyId=existing.inputs["targetKeyId"]
            )
        },
        absent=["NotFoundException"],
    ),
}
