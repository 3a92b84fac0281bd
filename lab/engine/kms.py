"""Keys and their aliases."""

from __future__ import annotations

from lab.engine.resource import Created, New


def _key(new: New) -> Created:
    kms = new.client("kms")
    key = kms.create_key(
        Tags=[{"TagKey": t["Key"], "TagValue": t["Value"]} for t in new.tags],
        **new.some(policy="Policy", description="Description", multiRegion="MultiRegion"),
    )["KeyMetadata"]
    if new.inputs.get("enableKeyRotation"):
        kms.enable_key_rotation(KeyId=key["KeyId"])
    return key["KeyId"], {"arn": key["Arn"], "keyId": key["KeyId"]}


def _alias(new: New) -> Created:
    kms, target = new.client("kms"), new.inputs["targetKeyId"]
    kms.create_alias(AliasName=new.name, TargetKeyId=target)
    arn = f"arn:aws:kms:{new.region}:{new.account}:{new.name}"
    key = kms.describe_key(KeyId=target)["KeyMetadata"]["Arn"]
    return new.name, {"arn": arn, "name": new.name, "targetKeyArn": key}


CREATE = {"aws:kms/key:Key": _key, "aws:kms/alias:Alias": _alias}
