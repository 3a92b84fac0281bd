"""Encrypts new volumes of a region with the evidence key, so that their snapshots can be shared."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws


@dataclass(frozen=True)
class EbsEncryptionArgs:
    """The region and its evidence key."""

    region: str
    key_arn: pulumi.Input[str]


class EbsEncryption(pulumi.ComponentResource):
    """The account's default for new volumes. Stays when the stack goes: leaving weakens nothing."""

    def __init__(
        self, name: str, args: EbsEncryptionArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("cordon:components:EbsEncryption", name, {"region": args.region}, opts)
        options = pulumi.ResourceOptions(parent=self, retain_on_delete=True)
        aws.ebs.EncryptionByDefault(
            f"{name}-default", region=args.region, enabled=True, opts=options
        )
        aws.ebs.DefaultKmsKey(f"{name}-key", region=args.region, key_arn=args.key_arn, opts=options)
        self.register_outputs({})
