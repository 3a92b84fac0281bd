"""The instance itself: its description, tags, image, launch template, user data, console."""

from __future__ import annotations

import base64

from responders.action import Incident
from responders.actions.record_parts.part import Absent, Part, as_json
from responders.aws import code_of, explain, pages
from responders.permissions import allow
from responders.scene import Scene

PERMISSIONS = (
    allow(
        "ec2:DescribeInstances",
        "ec2:DescribeInstanceAttribute",
        "ec2:DescribeTags",
        "ec2:DescribeImages",
        "ec2:DescribeLaunchTemplateVersions",
        because="saves what the instance is and what it was made from",
    ),
    allow(
        "ec2:GetConsoleOutput",
        "ec2:GetConsoleScreenshot",
        because="saves what the instance's console shows",
        risk="consoles may show secrets",
    ),
)


def _instance(incident: Incident[Scene]) -> bytes:
    return as_json(incident.subject.instance)


def _tags(incident: Incident[Scene]) -> bytes:
    """Tags of the instance, its interfaces and its volumes."""
    instance = incident.subject.instance
    ids = [
        incident.target,
        *(i["NetworkInterfaceId"] for i in incident.subject.interfaces),
        *(m["Ebs"]["VolumeId"] for m in instance.get("BlockDeviceMappings", ()) if "Ebs" in m),
    ]
    of_these = [{"Name": "resource-id", "Values": sorted(ids)}]
    return as_json(pages(incident.client("ec2"), "describe_tags", "Tags", Filters=of_these))


def _image(incident: Incident[Scene]) -> bytes:
    image = str(incident.subject.instance["ImageId"])
    found = incident.client("ec2").describe_images(
        Filters=[{"Name": "image-id", "Values": [image]}], IncludeDeprecated=True
    )
    if not found["Images"]:
        raise Absent(f"{image} is deregistered, or of an account that shares it no more")
    return as_json(found["Images"][0])


def _launch_template(incident: Incident[Scene]) -> bytes:
    """The version that the instance's tags name; EC2 and Auto Scaling set them at launch."""
    tags = {t["Key"]: t["Value"] for t in incident.subject.instance.get("Tags", ())}
    template = tags.get("aws:ec2launchtemplate:id")
    version = tags.get("aws:ec2launchtemplate:version")
    if not template or not version:
        raise Absent("not launched from a launch template")
    try:
        found = incident.client("ec2").describe_launch_template_versions(
            LaunchTemplateId=template, Versions=[version]
        )["LaunchTemplateVersions"]
    except Exception as error:
        if not code_of(error).startswith("InvalidLaunchTemplate"):
            raise
        raise Absent(f"{template} version {version} was deleted") from error
    return as_json(found)


def _user_data(incident: Incident[Scene]) -> bytes:
    answer = incident.client("ec2").describe_instance_attribute(
        InstanceId=incident.target, Attribute="userData"
    )
    return base64.b64decode(answer.get("UserData", {}).get("Value", ""))


def _console_output(incident: Incident[Scene]) -> bytes:
    """The latest output where the instance can give it (Nitro), else the last buffered one."""
    client = incident.client("ec2")
    try:
        answer = client.get_console_output(InstanceId=incident.target, Latest=True)
    except Exception as error:
        if code_of(error) != "UnsupportedOperation":
            raise
        incident.note(f"latest console output refused, the buffered one is saved: {explain(error)}")
        answer = client.get_console_output(InstanceId=incident.target)
    return str(answer.get("Output", "")).encode()


def _screenshot(incident: Incident[Scene]) -> bytes:
    """As it is: waking a dark screen would press a key on the host's console."""
    try:
        answer = incident.client("ec2").get_console_screenshot(InstanceId=incident.target)
    except Exception as error:
        if code_of(error) not in ("UnsupportedOperation", "IncorrectInstanceState"):
            raise
        raise Absent(explain(error)) from error
    return base64.b64decode(answer["ImageData"])


PARTS: dict[str, Part] = {
    "instance.json": _instance,
    "tags.json": _tags,
    "image.json": _image,
    "launch-template.json": _launch_template,
    "user-data.bin": _user_data,
    "console-output.txt": _console_output,
    "screenshot.jpg": _screenshot,
}
