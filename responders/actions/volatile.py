"""Collects what a reboot would lose, by the host's own commands: processes, sockets, modules …

Through Systems Manager, to the vault, beside a capture of memory: it takes seconds, and is there
to read at once. All of it is the word of a host that may be hostile.
"""

from __future__ import annotations

from typing import ClassVar

from contract import Document, evidence_key
from responders.action import Action, Incident, Observation
from responders.errors import Skip
from responders.host import run_command
from responders.host.host_readiness import has_way_out, ready, vault_of
from responders.host.run_command import CommandFailed
from responders.json_values import Json
from responders.permissions import Permission
from responders.record.journal import canonical
from responders.scene import Scene

DOCUMENT = Document.VOLATILE
SECONDS = 300


class CollectVolatile(Action[Scene]):
    """The host's own account of itself is in the vault."""

    name = "volatile"
    collects = True
    permissions: ClassVar[tuple[Permission, ...]] = ()

    def observe(self, incident: Incident[Scene]) -> Observation:
        """Whether the case has it."""
        return {"volatile": _record(incident) in incident.evidence.names()}

    def lacks(self, incident: Incident[Scene], observation: Observation) -> tuple[str, ...]:
        """One line, if it was not collected yet."""
        return () if observation["volatile"] else ("its volatile state is not collected",)

    def act(self, incident: Incident[Scene], observation: Observation) -> None:
        """Collects, and asks the vault whether it is there."""
        agent = ready(incident)
        if agent.platform != "Linux":
            raise Skip(f"there is no such collection for {agent.platform}", incomplete=True)
        vault = vault_of(incident)
        key = evidence_key(incident.case, incident.run, f"{incident.target}/volatile.txt")
        parameters = {"Bucket": vault.bucket, "Region": vault.region, "Key": key}
        command = run_command.send(incident, incident.target, DOCUMENT, parameters, seconds=SECONDS)
        outcome = run_command.follow(
            incident,
            incident.target,
            command,
            agent.platform,
            seconds=SECONDS,
            activity="collecting volatile state",
            reachable=lambda: has_way_out(incident),
        )
        facts = run_command.judge(outcome, DOCUMENT)
        size = vault.sizes(key).get(key)
        if size is None or size != run_command.number(facts, "size"):
            raise CommandFailed(f"the vault holds {size or 'no'} bytes of what the host collected")
        incident.evidence.refer(key, size, str(facts.get("sha256", "")))
        document = {"bucket": vault.bucket, "key": key, "command": command, "said": dict(facts)}
        incident.evidence.save(_record(incident), canonical(document))

    def undo(self, incident: Incident[Scene], before: Observation) -> None:
        """Nothing: evidence is kept."""

    def restored(self, before: Json, now: Json) -> bool:
        """Always: nothing was changed."""
        return True


def _record(incident: Incident[Scene]) -> str:
    return f"{incident.target}/volatile.json"
