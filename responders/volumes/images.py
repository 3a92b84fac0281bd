"""The image of a forensic workstation: given, or the newest Amazon Linux."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from responders.aws import Aws, code_of
from responders.errors import BadInput
from responders.instance_types import instance_type
from responders.permissions import allow

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import ImageTypeDef

DEFAULT = "/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-{architecture}"
"""AWS's public parameter; the image has the Systems Manager agent, and needs no internet."""
PUBLIC = "/aws/service/"

PERMISSIONS = (
    allow(
        "ssm:GetParameter",
        on="arn:{partition}:ssm:*::parameter/aws/service/*",
        because="finds the newest image of Amazon Linux for a workstation",
    ),
    allow(
        "ec2:DescribeImages",
        "ec2:DescribeInstanceTypes",
        because="checks a workstation's image and type before anything is made",
    ),
)


@dataclass(frozen=True)
class Image:
    """A machine image: its root device and that device's size in GiB."""

    id: str
    root: str
    size: int


def image_of(aws: Aws, region: str, machine_type: str, image: str = "") -> Image:
    """The image to launch; BadInput when there is no such image or instance type.

    `image` is an image id, or a public parameter such as `/aws/service/…`; empty: Amazon
    Linux 2023 for the architecture of the machine.
    """
    architecture = _architecture(aws, region, machine_type)
    image_id = image or DEFAULT.format(architecture=architecture)
    if image_id.startswith(PUBLIC):
        image_id = _parameter(aws, region, image_id)
    if not re.fullmatch(r"ami-[0-9a-f]{8}([0-9a-f]{9})?", image_id):
        raise BadInput(
            f"{image_id!r} is no image",
            f"Give an id such as ami-0123456789abcdef0, or a parameter that begins {PUBLIC}.",
        )
    images = aws.client("ec2", region).describe_images(
        Filters=[{"Name": "image-id", "Values": [image_id]}]
    )["Images"]
    if not images:
        raise BadInput(f"there is no image {image_id} in {region}", "Give another --image.")
    return _image(images[0])


def _image(described: ImageTypeDef) -> Image:
    root = str(described["RootDeviceName"])
    disks = {m["DeviceName"]: m.get("Ebs", {}) for m in described.get("BlockDeviceMappings", ())}
    return Image(str(described["ImageId"]), root, int(disks.get(root, {}).get("VolumeSize", 0)))


def _architecture(aws: Aws, region: str, machine: str) -> str:
    try:
        described = instance_type(aws.client("ec2", region), machine)
        kinds = described["ProcessorInfo"]["SupportedArchitectures"]
    except Exception as error:
        if not code_of(error).startswith("InvalidInstanceType"):
            raise
        raise BadInput(
            f"{region} has no instance type {machine!r}", "Give another --machine."
        ) from error
    return "arm64" if "arm64" in kinds else "x86_64"


def _parameter(aws: Aws, region: str, name: str) -> str:
    try:
        answer = aws.client("ssm", region).get_parameter(Name=name)
    except Exception as error:
        if code_of(error) != "ParameterNotFound":
            raise
        raise BadInput(f"{region} has no public parameter {name}", "Give --image.") from error
    return str(answer["Parameter"]["Value"])
