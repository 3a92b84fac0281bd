"""Keys and their aliases."""

from __future__ import annotations

from lab.engine.resource import Created, Held, Kind, New, exists, nothing


def _key(new: New) -> Created:
    kms = new.client("kms")
    key = kms.create_key(
        Tags=[{"TagKey": t["Key"], "TagValue": t["Value"]} for t in new.tags],
        **new.renamed(policy="Policy", description="Description", multiRegion="MultiRegion"),
    )["KeyMetadata"]
    if new.inputs.get("enableKeyRotation"):
        kms.enable_key_rotation(KeyId=key["KeyId"])
    return key["KeyId"], {"arn": key["Arn"], "keyId": key["KeyId"]}


def _key_tags(held: Held) -> None:
    kms = held.client("kms")
    tags = [{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in held.tags]
    kms.tag_resource(KeyId=held.id, Tags=tags)
    if held.dropped_tags:
        kms.untag_resource(KeyId=held.id, TagKeys=held.dropped_tags)


def _is_usable(held: Held) -> bool:
    """A key that waits for its deletion counts as gone, as it does for the AWS provider."""
    state = held.client("kms").describe_key(KeyId=held.id)["KeyMetadata"]["KeyState"]
    return bool(state != "PendingDeletion")


def _rotation(held: Held) -> None:
    kms = held.client("kms")
    if held.inputs.get("enableKeyRotation"):
        kms.enable_key_rotation(KeyId=held.id)
    else:
        kms.disable_key_rotation(KeyId=held.id)


def _schedule_deletion(held: Held) -> None:
    days = held.inputs.get("deletionWindowInDays", 30)
    held.client("kms").schedule_key_deletion(KeyId=held.id, PendingWindowInDays=days)


def _alias(new: New) -> Created:
    kms, target = new.client("kms"), new.inputs["targetKeyId"]
    kms.create_alias(AliasName=new.name, TargetKeyId=target)
    arn = f"arn:aws:kms:{new.region}:{new.account}:{new.name}"
    key = kms.describe_key(KeyId=target)["KeyMetadata"]["Arn"]
    return new.name, {"arn": arn, "name": new.name, "targetKeyArn": key}


def _alias_exists(held: Held) -> bool:
    pages = held.client("kms").get_paginator("list_aliases").paginate()
    return any(alias["AliasName"] == held.id for page in pages for alias in page["Aliases"])


KINDS = {
    "aws:kms/key:Key": Kind(
        _key,
        exists(_is_usable),
        _schedule_deletion,
        {
            "policy": lambda held: held.client("kms").put_key_policy(
                KeyId=held.id, PolicyName="default", Policy=held.inputs["policy"]
            ),
            "description": lambda held: held.client("kms").update_key_description(
                KeyId=held.id, Description=held.inputs.get("description", "")
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
        lambda held: held.client("kms").delete_alias(AliasName=held.id),
        {
            "targetKeyId": lambda held: held.client("kms").update_alias(
                AliasName=held.id, TargetKeyId=held.inputs["targetKeyId"]
            )
        },
        absent=["NotFoundException"],
    ),
}
