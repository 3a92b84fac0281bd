"""Run Command by AWS's rules: pinned documents, parameters, agents, and commands that take time.

Moto accepts any document for any instance and calls it a success at once. AWS (Systems Manager
API, SendCommand, ListCommandInvocations, GetCommandInvocation): the document must exist and have
the hash that is given, parameters must match their patterns, the instance must be managed; a
command that no agent takes ends `DeliveryTimedOut`; a script's exit code decides how it ends.

What a script does is told by `lab.hosts`, or by a test through `set_script`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import uuid4

from moto.ssm.models import ssm_backends

from lab.backends import regional, shelf
from lab.gate.answers import answer
from lab.gate.call import Call
from lab.gate.wire import AwsError
from lab.hosts import SCRIPTS, Ended, Host, Script
from lab.identity import now
from lab.mends.managed_instances import agent_of, instance_of, ping_of


@dataclass
class Command:
    """One command to one instance. `looks`: how often it is still seen under way."""

    id: str
    instance: str
    document: str
    comment: str
    parameters: Mapping[str, list[str]]
    timeout: int
    plugin: str
    sent: datetime
    ended: Ended
    looks: int = field(default=0)

    @property
    def status(self) -> tuple[str, str]:
        """`Status` and `StatusDetails`."""
        if self.looks > 0:
            return "InProgress", "InProgress"
        details = self.ended.status or ("Success" if self.ended.code == 0 else "Failed")
        status = "TimedOut" if details.endswith("TimedOut") else details
        return ("Failed" if details == "Undeliverable" else status), details


def mend() -> None:
    """Answers the four operations."""
    answer("ssm", "SendCommand")(_send)
    answer("ssm", "ListCommands")(_list)
    answer("ssm", "ListCommandInvocations")(_invocations)
    answer("ssm", "GetCommandInvocation")(_invocation)


def set_script(account: str, region: str, document: str, script: Script) -> None:
    """Decides what a document's script does from now on."""
    backend: Any = ssm_backends[account][region]
    shelf(backend, "scripts", dict[str, Script])[document] = script


def _commands(call: Call) -> list[Command]:
    return shelf(regional(call), "commands", list[Command])


def _send(call: Call) -> dict[str, Any]:
    name = call.params["DocumentName"]
    content = _content(call, name)
    parameters = {k: list(v) for k, v in call.params.get("Parameters", {}).items()}
    parameters = _checked(content.get("parameters", {}), parameters)
    if not 30 <= call.params.get("TimeoutSeconds", 3600) <= 2_592_000:
        raise AwsError("InvalidParameters", "TimeoutSeconds must be 30 to 2592000.")
    ids = call.params.get("InstanceIds", [])
    if not 1 <= len(ids) <= 50:
        raise AwsError("InvalidParameters", "Give 1 to 50 instance ids.")
    invocations = [_run(call, name, instance, parameters) for instance in ids]
    _commands(call).extend(invocations)
    return {
        "Command": {**_described(invocations[0]), "Status": "Pending", "StatusDetails": "Pending"}
    }


def _content(call: Call, name: str) -> dict[str, Any]:
    documents = regional(call)._documents.get(name)
    if documents is None:
        raise AwsError("InvalidDocument", f"Document with name {name} does not exist.")
    document = documents.get_default_version()
    document_hash = call.params.get("DocumentHash", document.hash)
    if document_hash != document.hash:
        raise AwsError("InvalidDocument", "The document hash does not match the document.")
    content: dict[str, Any] = document.content_json
    return content


def _checked(declared: Mapping[str, Any], parameters: dict[str, list[str]]) -> dict[str, list[str]]:
    if unknown := set(parameters) - set(declared):
        raise AwsError("InvalidParameters", f"Undeclared parameters: {sorted(unknown)}")
    for name, rule in declared.items():
        if name not in parameters and "default" not in rule:
            raise AwsError("InvalidParameters", f"{name} must be given.")
        for value in parameters.get(name, []):
            if not re.search(rule.get("allowedPattern", ""), value):
                raise AwsError("InvalidParameters", f"{name} does not match its pattern: {value}")
    return parameters


def _run(call: Call, name: str, instance_id: str, parameters: dict[str, list[str]]) -> Command:
    ec2 = regional(call, "ec2")
    instance = instance_of(ec2, instance_id)
    agent = agent_of(ec2, instance) if instance is not None else None
    if instance is None or agent is None or instance.state != "running":
        raise AwsError("InvalidInstanceId", f"Instances not in a valid state: {instance_id}")
    if ping_of(agent, instance) != "Online":
        ended = Ended(status="DeliveryTimedOut")
    else:
        scripts = {**SCRIPTS, **shelf(regional(call), "scripts", dict[str, Script])}
        values = {key: value[0] for key, value in parameters.items()}
        host = Host(call.account, call.region, instance, agent.platform)
        ended = scripts[name](host, values)
    return Command(
        str(uuid4()),
        instance_id,
        name,
        call.params.get("Comment", ""),
        parameters,
        call.params.get("TimeoutSeconds", 3600),
        agent.platform.lower(),
        now(),
        ended,
        ended.looks,
    )


def _described(command: Command) -> dict[str, Any]:
    status, details = command.status
    return {
        "CommandId": command.id,
        "DocumentName": command.document,
        "Comment": command.comment,
        "Parameters": command.parameters,
        "InstanceIds": [command.instance],
        "RequestedDateTime": command.sent,
        "Status": status,
        "StatusDetails": details,
        "TimeoutSeconds": command.timeout,
    }


def _list(call: Call) -> dict[str, Any]:
    filters = {f["key"]: f["value"] for f in call.params.get("Filters", [])}
    invocations = [
        command
        for command in _commands(call)
        if call.params.get("InstanceId") in (None, command.instance)
        and call.params.get("CommandId") in (None, command.id)
        and filters.get("DocumentName") in (None, command.document)
    ]
    return {"Commands": [_described(c) for c in reversed(invocations)]}


def _invocations(call: Call) -> dict[str, Any]:
    """A command of the last moment is not listed yet; each look brings it nearer to its end."""
    invocations = [
        command
        for command in _commands(call)
        if call.params.get("CommandId") in (None, command.id)
        and call.params.get("InstanceId") in (None, command.instance)
    ]
    shown = []
    for command in invocations:
        described = _described(command)
        command.looks -= 1
        shown.append({**described, "InstanceId": command.instance})
    return {"CommandInvocations": shown}


def _invocation(call: Call) -> dict[str, Any]:
    key = (call.params["CommandId"], call.params["InstanceId"])
    command = next((c for c in _commands(call) if (c.id, c.instance) == key), None)
    if command is None or command.ended.status in ("DeliveryTimedOut", "Undeliverable"):
        raise AwsError("InvocationDoesNotExist", "No such invocation.")
    if call.params.get("PluginName", command.plugin) != command.plugin:
        raise AwsError("InvalidPluginName", "The plugin name is not valid.")
    status, details = command.status
    lines = [command.ended.output, json.dumps(command.ended.report)]
    text = "\n".join(filter(None, lines)) if command.ended.report else command.ended.output
    return {
        "CommandId": command.id,
        "InstanceId": command.instance,
        "DocumentName": command.document,
        "PluginName": command.plugin,
        "ResponseCode": command.ended.code,
        "Status": status,
        "StatusDetails": details,
        # As GetCommandInvocation does: the rest is only in S3, where that is set.
        "StandardOutputContent": text[:24_000],
        "StandardErrorContent": "",
    }
