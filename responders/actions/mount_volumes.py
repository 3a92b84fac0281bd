"""Mounts the volumes on the workstation, read-only, by the prepared document.

Nothing is written to them: no journal is replayed, nothing on them runs. Asked to hash on the host,
the document hashes each disk before it mounts anything of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from contract import Document
from responders.action import Action, Incident, Observation
from responders.errors import Skip
from responders.host import run_command
from responders.permissions import Permission
from responders.record.journal import canonical
from responders.volumes import workstation
from responders.volumes.workstation import Workstation

if TYPE_CHECKING:
    from types_boto3_ec2.type_defs import InstanceTypeDef

DOCUMENT = Document.MOUNT
SECONDS = 43_200
"""Seconds for one volume; hashing a big disk takes hours."""
AGENT = 600.0
"""Seconds in which a new machine's agent must have come."""
EVERY = 5.0


@dataclass(frozen=True)
class MountVolumes(Action[Workstation]):
    """Every file system on the volumes is mounted read-only under /mnt/cordon."""

    hashes: bool = True
    """Whether the workstation hashes each disk before it is mounted."""

    name = "mount"
    collects = True
    permissions: ClassVar[tuple[Permission, ...]] = ()

    def observe(self, incident: Incident[Workstation]) -> Observation:
        """Volume to whether it was mounted since the machine started, and hashed before.

        Hashes by the EBS direct APIs are another step's; then `hashed` is true.
        """
        found = _machine(incident)
        sent = run_command.history(incident, str(found["InstanceId"]), DOCUMENT)
        last: dict[str, tuple[str, str]] = {}
        for command in sent:
            if command["RequestedDateTime"] >= found["LaunchTime"]:
                given = command["Parameters"]
                ended = (str(given["Mode"][0]), str(command["Status"]))
                last.setdefault(str(given["Volume"][0]), ended)
        names = incident.evidence.names()
        return {
            str(v["VolumeId"]): {
                "mounted": last.get(str(v["VolumeId"])) == ("mount", "Success"),
                "hashed": not self.hashes
                or any(name.startswith(_prefix(str(v["VolumeId"]))) for name in names),
            }
            for v in workstation.volumes(incident.client("ec2"), incident.case)
        }

    def lacks(self, incident: Incident[Workstation], observation: Observation) -> tuple[str, ...]:
        """A line for each volume that is not mounted, or was not hashed before."""
        told = [f"{volume} is not mounted" for volume, s in observation.items() if not s["mounted"]]
        told += [
            f"{volume} is mounted, but was not hashed before"
            for volume, s in observation.items()
            if s["mounted"] and not s["hashed"]
        ]
        return tuple(told)

    def act(self, incident: Incident[Workstation], observation: Observation) -> None:
        """All at the same time, once the machine's agent has come."""
        found = _machine(incident)
        machine = str(found["InstanceId"])

        def come() -> bool:
            incident.watch("waiting for the workstation's agent", None)
            agent = run_command.agent(incident, machine)
            return agent is not None and agent.online

        incident.wait_for(come, seconds=AGENT, every=EVERY)
        agent = run_command.ready_agent(incident, machine)
        devices = {
            str(v["VolumeId"]): workstation.attached_to(v, machine)
            for v in workstation.volumes(incident.client("ec2"), incident.case)
        }

        def mount(volume: str) -> None:
            if observation[volume]["mounted"]:
                _run(incident, machine, agent.platform, {"Mode": "umount", "Volume": volume})
            self._mount(incident, machine, agent.platform, volume, devices[volume])

        todo = [v for v, s in observation.items() if not (s["mounted"] and s["hashed"])]
        incident.aws.each(mount, todo)

    def undo(self, incident: Incident[Workstation], before: Observation) -> None:
        """Nothing: closing is a command of its own."""
        raise Skip("`cordon workstation close` removes the machine")

    def _mount(
        self, incident: Incident[Workstation], machine: str, platform: str, volume: str, device: str
    ) -> None:
        parameters = {
            "Mode": "mount",
            "Volume": volume,
            "Device": device,
            "Hash": "yes" if self.hashes else "no",
        }
        command, facts = _run(incident, machine, platform, parameters)
        if self.hashes and not facts.get("sha256"):
            raise run_command.CommandFailed(
                f"{volume} was mounted, but not hashed before: {facts.get('hash')}"
            )
        document = {"machine": machine, "volume": volume, "command": command, "said": dict(facts)}
        incident.evidence.save(f"{_prefix(volume)}{command}.json", canonical(document))


def _prefix(volume: str) -> str:
    return f"workstation/{volume}-"


def _run(
    incident: Incident[Workstation], machine: str, platform: str, parameters: dict[str, str]
) -> tuple[str, Mapping[str, object]]:
    """The command's id and the script's facts; one that is under way is followed."""
    begun = run_command.under_way(incident, machine, DOCUMENT, SECONDS, **parameters)
    command = (
        str(begun["CommandId"])
        if begun
        else run_command.send(incident, machine, DOCUMENT, parameters, seconds=SECONDS)
    )
    hashing = "hashing and " if parameters.get("Hash") == "yes" else ""
    outcome = run_command.follow(
        incident,
        machine,
        command,
        platform,
        seconds=SECONDS,
        activity=f"{hashing}{parameters['Mode']}ing {parameters['Volume']}",
    )
    return command, run_command.judge(outcome, DOCUMENT)


def _machine(incident: Incident[Workstation]) -> InstanceTypeDef:
    found = workstation.machine(incident.client("ec2"), incident.manifest, incident.case)
    if found is None:
        raise Skip("no workstation is open yet")
    return found
