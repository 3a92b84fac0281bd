"""Runs a prepared document on one instance through Systems Manager, and follows it to its end.

A document is sent with the hash that the manifest pins, so one that somebody changed is refused.
Parameters stay in the command history, which many may read: never a credential among them. What
the script says is the word of a host that may be hostile: data to keep, not to trust.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from contract import STEPS, Document, ScriptExit
from responders.action import Incident, Subject
from responders.aws import code_of
from responders.errors import Skip
from responders.host.call_once import once
from responders.permissions import allow, ec2

if TYPE_CHECKING:
    from types_boto3_ssm.type_defs import (
        CommandInvocationTypeDef,
        CommandTypeDef,
        SendCommandRequestTypeDef,
    )

PERMISSIONS = (
    allow(
        "ssm:DescribeInstanceInformation",
        "ssm:ListCommands",
        "ssm:ListCommandInvocations",
        "ssm:GetCommandInvocation",
        because="asks whether the agent answers, and follows the command that was sent",
    ),
    allow(
        "ssm:SendCommand",
        on=("arn:{partition}:ssm:*:{account}:document/cordon-*", ec2("instance")),
        because="runs the kit's documents on an instance: memory, host firewall, mounting",
        risk="can run the kit's own documents on any instance, and no other document",
    ),
)

DELIVERY = 60
"""Seconds in which the agent must take a command (SendCommand takes 30 and more)."""
GRACE = 90.0
"""Seconds beyond delivery and execution in which Systems Manager must say how it ended."""
EVERY = 2.0
"""Seconds between two looks at a command."""
REACHABLE_EVERY = 10.0
"""Seconds between two looks at whether the instance can still be reached."""
UNDELIVERED = ("DeliveryTimedOut", "Undeliverable", "InvalidPlatform", "AccessDenied")
ENDED = ("Success", "Cancelled", "TimedOut", "Failed")
UNDER_WAY = ("Pending", "InProgress", "Delayed", "Cancelling")


class CommandFailed(Exception):
    """A command ended badly, or its end is not known; the text says what is known."""


@dataclass(frozen=True)
class Agent:
    """The agent of an instance, as Systems Manager knows it; `platform` as `contract.STEPS`."""

    platform: str
    ping: str
    heard: str

    @property
    def online(self) -> bool:
        """Whether it answered lately (the state lags behind by some minutes)."""
        return self.ping == "Online"


@dataclass(frozen=True)
class Outcome:
    """How a command ended. `code` is a `ScriptExit`; `facts` is the script's JSON line."""

    command: str
    status: str
    """Systems Manager's `StatusDetails`."""
    code: int | None = None
    message: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)


def agent(incident: Incident[Subject], instance: str) -> Agent | None:
    """The instance's agent; None where none was ever registered."""
    answer = incident.client("ssm").describe_instance_information(
        Filters=[{"Key": "InstanceIds", "Values": [instance]}]
    )
    for description in answer["InstanceInformationList"]:
        heard = str(description.get("LastPingDateTime", "never"))
        return Agent(
            str(description.get("PlatformType", "")), str(description["PingStatus"]), heard
        )
    return None


def ready_agent(incident: Incident[Subject], instance: str) -> Agent:
    """The agent, if it can be asked; `Skip`, incomplete, with the reason if it can't."""
    answering = agent(incident, instance)
    if answering is None:
        raise Skip(f"no Systems Manager agent is registered for {instance}", incomplete=True)
    if not answering.online:
        raise Skip(
            f"the Systems Manager agent of {instance} does not answer ({answering.ping}, last "
            f"heard of {answering.heard}): it is stopped, or has no network path to Systems "
            "Manager",
            incomplete=True,
        )
    return answering


def comment(incident: Incident[Subject], document: Document) -> str:
    """What marks the commands of a case in the history (at most 100 characters)."""
    return f"{document.value} for case {incident.case}"[:100]


def history(incident: Incident[Subject], instance: str, document: Document) -> list[CommandTypeDef]:
    """This case's commands of a document on an instance, the newest first (kept for 30 days)."""
    pages = incident.client("ssm").get_paginator("list_commands")
    sent = pages.paginate(
        InstanceId=instance, Filters=[{"key": "DocumentName", "value": document.value}]
    )
    commands = [
        command
        for page in sent
        for command in page["Commands"]
        if command["DocumentName"] == document.value
        and command.get("Comment") == comment(incident, document)
    ]
    return sorted(commands, key=lambda c: str(c["RequestedDateTime"]), reverse=True)


def under_way(
    incident: Incident[Subject],
    instance: str,
    document: Document,
    seconds: float,
    **parameters: str,
) -> CommandTypeDef | None:
    """A command of this case with these parameters that has not ended, and still may."""
    since = datetime.now(UTC) - timedelta(seconds=seconds + GRACE)
    for command in history(incident, instance, document):
        sent = command.get("Parameters", {})
        if (
            command["Status"] in UNDER_WAY
            and command["RequestedDateTime"] > since
            and all(sent.get(name) == [value] for name, value in parameters.items())
        ):
            return command
    return None


def send(
    incident: Incident[Subject],
    instance: str,
    document: Document,
    parameters: Mapping[str, str],
    *,
    seconds: int,
    delivery: int = DELIVERY,
) -> str:
    """Sends a document, pinned; the command's id. `seconds` limits the script's own run.

    `Skip`, incomplete, when the region has not prepared the document, or no agent takes it.
    """
    pin = incident.manifest.documents.get(document.value)
    if pin is None:
        raise Skip(
            f"the document {document.value} is not prepared in {incident.region}", incomplete=True
        )
    request: SendCommandRequestTypeDef = {
        "InstanceIds": [instance],
        "DocumentName": pin.name,
        "DocumentHash": pin.sha256,
        "DocumentHashType": "Sha256",
        "TimeoutSeconds": delivery,
        "Comment": comment(incident, document),
        "Parameters": {
            **{name: [value] for name, value in parameters.items()},
            "TimeoutSeconds": [str(seconds)],
        },
    }
    try:
        answer = once(incident, "ssm", lambda client: client.send_command(**request))
    except Exception as error:
        if code_of(error) != "InvalidInstanceId":
            raise
        raise Skip(
            f"Systems Manager can't reach {instance}: not running, or no agent that answers",
            incomplete=True,
        ) from error
    return str(answer["Command"]["CommandId"])


def follow(
    incident: Incident[Subject],
    instance: str,
    command: str,
    platform: str,
    *,
    seconds: float,
    activity: str,
    reachable: Callable[[], bool] = lambda: True,
) -> Outcome:
    """Waits until a command has ended: for so many seconds, or until `reachable` says no, and then
    for some grace.

    `Skip`, incomplete, when the user interrupts; `CommandFailed` when its end is not known in time.
    """
    begun = time.monotonic()
    patience = Patience(begun + seconds, reachable)
    last: CommandInvocationTypeDef = {}

    def ended() -> bool:
        last.update(_invocation(incident, instance, command))
        incident.watch(activity, min((time.monotonic() - begun) / seconds, 1.0))
        return last.get("Status") in ENDED or patience.is_over()

    incident.wait_for(ended, seconds=seconds + 2 * GRACE, every=EVERY)
    if last.get("Status") not in ENDED:
        if incident.stopping.is_set():
            raise Skip(
                f"interrupted; command {command} goes on, and `cordon resume` follows it",
                incomplete=True,
            )
        raise CommandFailed(
            f"command {command} has not ended ({last.get('StatusDetails', 'never listed')}): "
            + (
                "the instance was isolated meanwhile, which cuts its path to Systems Manager"
                if patience.cut
                else f"it had {seconds:.0f} s; the instance may have lost its path"
            )
        )
    status = str(last["StatusDetails"])
    if status in UNDELIVERED:
        return Outcome(command, status)
    return _outcome(incident, instance, command, platform, status)


class Patience:
    """When to stop waiting: at `until`, or when the instance can't be reached; then some grace."""

    def __init__(self, until: float, reachable: Callable[[], bool]) -> None:
        self._until, self._reachable = until, reachable
        self._last_look = 0.0
        self.cut = False

    def is_over(self) -> bool:
        """Whether the grace is used up."""
        now = time.monotonic()
        if not self.cut and now - self._last_look >= REACHABLE_EVERY:
            self._last_look = now
            if not self._reachable():
                self.cut, self._until = True, min(self._until, now)
        return now > self._until + GRACE


def _invocation(
    incident: Incident[Subject], instance: str, command: str
) -> CommandInvocationTypeDef:
    """A new command is not listed at once: an empty answer means not yet."""
    answer = incident.client("ssm").list_command_invocations(CommandId=command, InstanceId=instance)
    invocation: CommandInvocationTypeDef = {}
    return next(iter(answer["CommandInvocations"]), invocation)


def _outcome(
    incident: Incident[Subject], instance: str, command: str, platform: str, status: str
) -> Outcome:
    answer = incident.client("ssm").get_command_invocation(
        # Every document has one step for each platform, and only this one was run.
        CommandId=command,
        InstanceId=instance,
        PluginName=STEPS[platform],
    )
    facts = last_line(str(answer.get("StandardOutputContent", "")))
    code = facts.get("code")
    return Outcome(
        command,
        status,
        code if isinstance(code, int) else None,
        # The host wrote it, and may be the attacker's: it must not flood the record.
        str(facts.get("message", ""))[:500],
        facts,
    )


def last_line(output: str) -> dict[str, object]:
    """The JSON object that a script printed last; empty when its last line is none."""
    lines = output.strip().splitlines()
    try:
        parsed = json.loads(lines[-1], parse_constant=_refuse) if lines else {}
    except (ValueError, RecursionError):
        return {}
    return parsed if isinstance(parsed, dict) and "document" in parsed else {}


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def number(facts: Mapping[str, object], name: str) -> int:
    """A count that a script told; `CommandFailed` when it is none."""
    value = facts.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise CommandFailed(f"the script told no {name}")
    return value


def judge(outcome: Outcome, document: Document) -> Mapping[str, object]:
    """The script's facts when it did its work; what became of it, raised, when it did not.

    `Skip`, incomplete: it never ran, or could not, and nothing was touched. `CommandFailed`: it
    was tried. Systems Manager's word "Success" is not enough: the script must say so itself.
    """
    where = f"command {outcome.command}"
    if outcome.status in UNDELIVERED:
        raise Skip(
            f"{where} never reached the instance ({outcome.status}): it has no network path to "
            "Systems Manager, or its agent is stopped",
            incomplete=True,
        )
    if outcome.code is None or outcome.facts.get("document") != document.value:
        raise CommandFailed(f"{where} ended ({outcome.status}) without the script's report")
    match outcome.code:
        case ScriptExit.DONE:
            return outcome.facts
        case ScriptExit.REFUSED | ScriptExit.UNSUPPORTED | ScriptExit.LOCKDOWN:
            raise Skip(outcome.message, incomplete=True)
        case ScriptExit.NO_VAULT:
            raise Skip(f"no way to the vault: {outcome.message}", incomplete=True)
        case _:
            raise CommandFailed(f"{outcome.message} ({where}, exit {outcome.code})")
