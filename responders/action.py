"""What an action is, and what it is given.

An action is one reversible step of a response, in one file: `observe` reads, `lacks` judges what
was read, `act` changes, `undo` restores. It knows nothing of journals, printing or other actions;
the runner (`responders.runner`) owns order, record, verification, dry run and release.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, ClassVar, Protocol

from contract import Manifest, Purpose, Rules, group_rules
from responders.aws import Aws, explain
from responders.clients import Clients
from responders.permissions import Permission
from responders.scene import Scene

Seen = Mapping[str, Any]
"""What `observe` saw: a thing (an id, a name) to its state, JSON only, lists in a fixed order.

Only what undo and proof need: a value that changes by itself would look like drift on release.
"""


Watch = Callable[[str, float | None], None]
"""Given what is going on, and how much of it is done (0 to 1; None: unknown)."""


def unwatched(what: str, done: float | None) -> None:
    """Nobody watches."""


class Evidence(Protocol):
    """Where evidence goes: on disk, hashed in the journal, then in the vault."""

    def save(self, name: str, data: bytes) -> None:
        """Keeps `data` as `name` (a relative path); the same name twice is refused."""

    def refer(self, key: str, size: int, sha256: str) -> None:
        """Lists an object that the target wrote into the vault itself: it is too big to come here.

        `key` is the whole key, `size` in bytes as S3 says, `sha256` (hex) as the target said.
        """

    def names(self) -> frozenset[str]:
        """Names of all that the case holds so far, of every run."""


@dataclass(frozen=True)
class Options:
    """What the user chose. Journaled, so that `resume` goes on with the same; never a secret.

    Times are seconds. Defaults are the contain-first policy that destroys nothing.
    """

    tracking: str = "convert"
    dwell: float = 60.0
    evidence_first: bool = False
    deadline: float = 300.0
    memory: bool = False
    hibernate: bool = False
    host_firewall: bool = False
    stop: bool = False
    stop_protected: bool = False
    snapshot: bool = True
    lock_mode: str = "governance"
    lock_days: int = 365
    copy: bool = True
    wait: bool = False
    detach: bool = False
    replace: bool = True
    nacl: tuple[str, ...] = ()
    isolated_profile: str = "dark"
    role_wide: bool = False
    keep_imds: bool = False
    all_keys: bool = False
    delete: bool = False
    force_own_key: bool = False
    session: str = ""
    deny_all: bool = False
    renew: bool = False
    delete_login: bool = False
    zone: str = ""
    image: str = ""
    machine: str = "m6i.large"
    volume_type: str = "gp3"
    volume_size: int = 0
    volume_iops: int = 0
    snapshots: tuple[str, ...] = ()
    hashing: str = "host"
    from_account: str = ""
    service: str = ""
    category: str = ""
    severity: str = ""
    text: str = ""


@dataclass(frozen=True)
class Incident:
    """One target of one case, as an action sees it.

    `target` is an instance id, an access key id, a user or a role name, as the playbook says.
    `scene` reads the instance afresh in every observation.
    """

    case: str
    run: str
    responder: str
    aws: Aws
    account: str
    partition: str
    region: str
    target: str
    options: Options
    scene: Scene
    evidence: Evidence
    started: datetime
    """When the first run of this case on this target began (UTC): a stable cut-off."""
    subject: str = ""
    """The identity behind a key, or that the target is, as `Principal` writes it; else empty."""
    known: Seen = field(default_factory=dict)
    """What this step saw before its first change in this case: on release, on a second run and
    after acting, `observe` uses it to look at things that can no longer be found by the target."""
    earlier: Mapping[str, Seen] = field(default_factory=dict)
    """What the other steps saw before their first change in this case, by step: for the few facts
    that a change hides, such as the profile that an instance had."""
    watch: Watch = field(default=unwatched, compare=False)
    """Told how far a long step is; shows it or not."""
    stopping: threading.Event = field(default_factory=threading.Event)
    notes: list[str] = field(default_factory=list)
    risks: list[str] = field(default_factory=list)

    @property
    def client(self) -> Clients:
        """The shared client of a service in the incident's region."""
        return self.aws.clients_in(self.region)

    def note(self, text: str) -> None:
        """Adds to the step's result: something to know, nothing wrong."""
        self.notes.append(text)

    def risk(self, text: str) -> None:
        """Adds to the report's residual risks: what could not be cut."""
        self.risks.append(text)

    def wait(self, seconds: float) -> bool:
        """Waits, but no longer than until the user interrupts; False when interrupted."""
        return not self.stopping.wait(seconds)

    def wait_for(self, ready: Callable[[], bool], *, seconds: float, every: float = 2.0) -> bool:
        """Asks `ready` until it says yes; False after `seconds`, or when interrupted."""
        begun = datetime.now(UTC).timestamp()
        while not ready():
            if datetime.now(UTC).timestamp() - begun > seconds or not self.wait(every):
                return False
        return True

    @cached_property
    def manifest(self) -> Manifest:
        """What the region has prepared; an empty one, and a risk told, when it can't be read."""
        try:
            return self.scene.manifest or Manifest()
        except Exception as error:
            self.risk(
                f"the manifest could not be read, so nothing in it was used: {explain(error)}"
            )
            return Manifest()

    def group_rules(self, purpose: Purpose) -> Rules:
        """The rules that a prepared group must have in this region."""
        return group_rules(purpose, self.manifest.responder_cidrs)


class Action:
    """Base of all actions: the defaults, and the shape that the runner relies on."""

    name: ClassVar[str]
    permissions: ClassVar[tuple[Permission, ...]]
    contains: ClassVar[bool] = False
    """Whether the target counts as contained only if this holds."""
    collects: ClassVar[bool] = False
    """Whether the evidence is incomplete if this fails."""
    writes_aws: ClassVar[bool] = True
    """False for actions that only read and save evidence."""
    announce: bool = False
    """Whether what is about to change is told before it is done: for what hits more than the
    target, or loses something."""

    def observe(self, incident: Incident) -> Seen:
        """Reads the state of what this action changes. May raise `Skip`."""
        raise NotImplementedError

    def lacks(self, incident: Incident, seen: Seen) -> tuple[str, ...]:
        """What the observation lacks of the wanted state, a line each; empty: it holds."""
        raise NotImplementedError

    def act(self, incident: Incident, seen: Seen) -> None:
        """Brings about the wanted state. May raise `Skip`, and any AWS error."""
        raise NotImplementedError

    def undo(self, incident: Incident, before: Seen) -> None:
        """Restores the things in `before`: those that nobody else changed since."""
        raise NotImplementedError

    def restored(self, before: Any, now: Any) -> bool:
        """Whether a thing's state now counts as the one before; equality unless overridden."""
        return bool(before == now)
