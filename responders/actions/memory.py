"""Captures the instance's memory through Systems Manager, into the vault, and checks the capture.

The host does the work: it fetches a staged tool by digest and streams to the vault with the
credentials of its own role. So what it reports is a claim: the vault is asked what is really there.
Isolation cuts the way; `--evidence-first` holds it back until the capture ends, at most so long.
"""

from __future__ import annotations

from dataclasses import dataclass

from contract import Document, evidence_key
from responders.action import Action, Incident, Observation
from responders.errors import Skip
from responders.host import run_command
from responders.host.host_readiness import has_way_out, ready, vault_of
from responders.host.run_command import CommandFailed
from responders.instance_types import instance_type
from responders.json_values import Json, JsonObject
from responders.permissions import allow
from responders.record import capture_tools
from responders.record.journal import canonical
from responders.record.vault import Vault
from responders.scene import Scene

DOCUMENT = Document.MEMORY
SECONDS = 14_400
"""Seconds for a capture that nothing waits for."""
LEAST_SECONDS = 10
"""The shortest that the document takes."""
MAGIC = b"EMiL"
"""How a LiME image begins; AVML writes that form too."""
BANNER = b"Linux version "
HEADER = 32 * 1024 * 1024
"""Bytes from the beginning that are searched for the kernel's banner."""
CREDIBLE = 0.75
"""Part of the instance type's memory that a host must own up to, or it is said."""


@dataclass(frozen=True)
class CaptureMemory(Action[Scene]):
    """A capture of the whole memory is in the vault, and was found good."""

    deadline: float | None = None
    """Seconds after which the capture is given up, for the network is isolated then."""

    name = "memory"
    collects = True
    permissions = (
        allow("ec2:DescribeInstanceTypes", because="knows how much memory the instance has"),
    )

    def observe(self, incident: Incident[Scene]) -> Observation:
        """Whether the case has a capture that was found good."""
        return {"memory": _record(incident) in incident.evidence.names()}

    def lacks(self, incident: Incident[Scene], observation: Observation) -> tuple[str, ...]:
        """One line, if it was not captured yet."""
        return () if observation["memory"] else ("its memory is not captured",)

    def act(self, incident: Incident[Scene], observation: Observation) -> None:
        """Captures, lists what came into the vault, checks it, and saves what is known of it.

        `Skip`, incomplete, when there is no way to do it; `CommandFailed` when it went wrong.
        """
        agent = ready(incident)
        vault = vault_of(incident)
        command, key = _command(incident, vault, agent.platform, self._seconds)
        outcome = run_command.follow(
            incident,
            incident.target,
            command,
            agent.platform,
            seconds=self._seconds,
            activity="capturing memory",
            reachable=lambda: has_way_out(incident),
        )
        there = vault.sizes(key)
        for name, size in there.items():
            digest = str(outcome.facts.get("sha256", "")) if name == key else ""
            incident.evidence.refer(name, size, digest)
        facts = run_command.judge(outcome, DOCUMENT)
        checked = _check(incident, vault, key, there.get(key), facts, agent.platform)
        document = {"bucket": vault.bucket, "key": key, "command": command, "checked": checked}
        incident.evidence.save(_record(incident), canonical({**document, "said": dict(facts)}))

    def undo(self, incident: Incident[Scene], before: Observation) -> None:
        """Nothing: evidence is kept."""

    def restored(self, before: Json, now: Json) -> bool:
        """Always: nothing of the instance was changed that could be restored."""
        return True

    @property
    def _seconds(self) -> int:
        return SECONDS if self.deadline is None else max(int(self.deadline), LEAST_SECONDS)


def _record(incident: Incident[Scene]) -> str:
    return f"{incident.target}/memory.json"


def _command(
    incident: Incident[Scene], vault: Vault, platform: str, seconds: int
) -> tuple[str, str]:
    """The command that captures and the key it writes to: one under way, or a new one."""
    begun = run_command.under_way(incident, incident.target, DOCUMENT, SECONDS, Bucket=vault.bucket)
    key = str(begun["Parameters"]["Key"][0]) if begun else ""
    if begun and key.startswith(f"cases/{incident.case}/"):
        incident.note(f"a capture was under way already: {begun['CommandId']}")
        return str(begun["CommandId"]), key
    instance = incident.subject.instance
    fitting = capture_tools.choose(
        capture_tools.staged(vault), platform, str(instance["Architecture"])
    )
    if not fitting:
        raise Skip(
            f"no capture tool for {platform} on {instance['Architecture']} is staged in the vault: "
            "`cordon tools stage` puts one there",
            incomplete=True,
        )
    ending = "raw" if platform == "Windows" else "lime"
    key = evidence_key(incident.case, incident.run, f"{incident.target}/memory.{ending}")
    command = run_command.send(
        incident,
        incident.target,
        DOCUMENT,
        {
            "Bucket": vault.bucket,
            "Region": vault.region,
            "Key": key,
            "Tools": ",".join(tool.pair for tool in fitting),
        },
        seconds=seconds,
    )
    return command, key


def _check(
    incident: Incident[Scene], vault: Vault, key: str, size: int | None, facts: Json, platform: str
) -> JsonObject:
    """What the vault says of the capture; `CommandFailed` when that is not a whole capture."""
    if size is None:
        raise CommandFailed("the host said that it captured, but the vault holds no capture")
    memory = run_command.number(facts, "memory")
    if size != run_command.number(facts, "size"):
        raise CommandFailed(f"the vault holds {size} bytes, the host streamed {facts['size']}")
    if size < memory or not memory:
        raise CommandFailed(f"the capture has {size} bytes, less than the memory's {memory}")
    _weigh(incident, memory)
    if platform == "Windows":
        return {"bytes": size, "banner": None}
    head = vault.beginning(key, HEADER)
    if not head.startswith(MAGIC):
        raise CommandFailed("the capture in the vault does not begin as a LiME image")
    observation = BANNER in head
    if not observation and BANNER.decode() not in str(facts.get("banner", "")):
        raise CommandFailed("the capture holds no kernel banner: it is not of a running Linux")
    if not observation:
        incident.note(
            f"the kernel's banner is not in the first {HEADER >> 20} MiB of the capture; that it "
            "is further on is the host's word"
        )
    return {"bytes": size, "banner": observation}


def _weigh(incident: Incident[Scene], memory: int) -> None:
    """A host that owns up to little memory may hide the rest: said, not judged."""
    kind = str(incident.subject.instance["InstanceType"])
    described = instance_type(incident.client("ec2"), kind)
    whole = int(described["MemoryInfo"]["SizeInMiB"]) << 20
    if memory < whole * CREDIBLE:
        incident.risk(
            f"the host says that it has {memory >> 20} MiB of memory; a {kind} has {whole >> 20}: "
            "the capture may not be whole"
        )
