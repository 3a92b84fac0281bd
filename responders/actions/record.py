"""Saves what the instance looked like: its metadata as JSON, and its console output."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from responders.action import Action, Incident, Seen
from responders.aws import explain
from responders.journal import canonical, utc
from responders.permissions import allow

Part = Callable[[Incident], bytes]


class Record(Action):
    """Each part is one read and one file; each may fail alone. Nothing in AWS changes."""

    name = "record"
    collects = True
    writes_aws = False
    permissions = (
        allow(
            "ec2:DescribeInstances",
            "ec2:DescribeInstanceAttribute",
            "ec2:DescribeNetworkInterfaces",
            "ec2:DescribeSecurityGroups",
            "ec2:DescribeVolumes",
            "ec2:GetConsoleOutput",
            because="saves the instance's metadata and console output",
        ),
    )

    def observe(self, incident: Incident) -> Seen:
        """Part to whether the case has it already."""
        have = incident.evidence.names()
        return {name: _name(incident, name) in have for name in PARTS}

    def lacks(self, incident: Incident, seen: Seen) -> tuple[str, ...]:
        """A line for each part that is not saved yet."""
        return tuple(f"{name} is not saved" for name, saved in seen.items() if not saved)

    def act(self, incident: Incident, seen: Seen) -> None:
        """All parts that lack, at the same time."""

        def save(name: str) -> None:
            incident.evidence.save(_name(incident, name), PARTS[name](incident))

        incident.aws.each(save, [name for name, saved in seen.items() if not saved])

    def undo(self, incident: Incident, before: Seen) -> None:
        """Nothing: evidence is kept, and nothing in AWS was changed."""

    def restored(self, before: Any, now: Any) -> bool:
        """Always: there is nothing to restore."""
        return True


def _name(incident: Incident, part: str) -> str:
    return f"{incident.target}/{part}"


def as_json(answer: Any) -> bytes:
    """An API answer as canonical JSON: times in UTC, bytes in base64, no response metadata."""
    return canonical(_plain(answer))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items() if k != "ResponseMetadata"}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return utc(value) if hasattr(value, "astimezone") else value


def _instance(incident: Incident) -> bytes:
    return as_json(incident.scene.instance)


def _interfaces(incident: Incident) -> bytes:
    return as_json(incident.scene.interfaces)


def _groups(incident: Incident) -> bytes:
    ids = sorted({g["GroupId"] for i in incident.scene.interfaces for g in i["Groups"]})
    return as_json(incident.client("ec2").describe_security_groups(GroupIds=ids))


def _volumes(incident: Incident) -> bytes:
    attached = [{"Name": "attachment.instance-id", "Values": [incident.target]}]
    pages = incident.client("ec2").get_paginator("describe_volumes").paginate(Filters=attached)
    return as_json([v for page in pages for v in page["Volumes"]])


def _user_data(incident: Incident) -> bytes:
    answer = incident.client("ec2").describe_instance_attribute(
        InstanceId=incident.target, Attribute="userData"
    )
    return base64.b64decode(answer.get("UserData", {}).get("Value", ""))


def _console_output(incident: Incident) -> bytes:
    """The latest output where the instance can give it (Nitro), else the last buffered one."""
    client = incident.client("ec2")
    try:
        answer = client.get_console_output(InstanceId=incident.target, Latest=True)
    except Exception as error:
        incident.note(f"latest console output refused, the buffered one is saved: {explain(error)}")
        answer = client.get_console_output(InstanceId=incident.target)
    return str(answer.get("Output", "")).encode()


PARTS: dict[str, Part] = {
    "instance.json": _instance,
    "interfaces.json": _interfaces,
    "groups.json": _groups,
    "volumes.json": _volumes,
    "user-data.bin": _user_data,
    "console-output.txt": _console_output,
}
