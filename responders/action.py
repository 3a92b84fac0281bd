"""What an action is, and the incident that it works on.

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
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar

from contract import Manifest
from responders.aws import Aws, explain
from responders.clients import Clients
from responders.connection import hurried
from responders.permissions import Permission
from responders.trust.trust import Trust

Observation = Mapping[str, Any]
"""The state of what an action changes: a resource (its id or name) to its state, JSON only, lists
in a fixed order.

Only what undo and proof need: a value that changes by itself would look like drift on release.
"""


Watch = Callable[[str, float | None], None]
"""Called with the name of a long activity and the fraction of it that is done (None: unknown)."""


def unwatched(activity: str, fraction: float | None) -> None:
    """Shows nothing."""


class Subject:
    """What an incident is about: an instance, an identity, a workstation, a support case.

    A playbook has a subject type of its own, with the questions that its actions share.
    """

    def afresh(self) -> Self:
        """The same subject with no answer remembered; itself, when it remembers none."""
        return self

    @property
    def is_fresh(self) -> bool:
        """Whether the answers that it remembers are so new that a first look may believe them."""
        return True

    def account(self) -> str:
        """The account that the subject itself says it belongs to; empty when it says none."""
        return ""

    def names(self) -> tuple[str, ...]:
        """What else people call it, such as addresses; what can't be told is left out."""
        return ()

    def as_recorded(self) -> str:
        """What the journal keeps, beside the target, so that a later run has the same subject."""
        return ""


SubjectT_co = TypeVar("SubjectT_co", bound=Subject, covariant=True)
SubjectT_contra = TypeVar("SubjectT_contra", bound=Subject, contravariant=True)


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


def _hurriedly(ready: Callable[[], bool]) -> bool:
    """One look, whose reads give up soon: the next look follows anyway."""
    with hurried():
        return ready()


@dataclass(frozen=True)
class Incident(Generic[SubjectT_co]):
    """One target of one case, as an action sees it.

    `target` is an instance id, an access key id, a user or a role name, as the playbook says.
    `subject` answers questions about it, afresh in every observation.
    """

    case: str
    run: str
    responder: str
    aws: Aws
    account: str
    partition: str
    region: str
    target: str
    subject: SubjectT_co
    prepared: Trust
    """What may be believed of what the incident's region has prepared."""
    evidence: Evidence
    started: datetime
    """When the first run of this case on this target began (UTC): a stable cut-off."""
    known: Observation = field(default_factory=dict)
    """What this step observed before its first change in this case: on release, on a second run and
    after acting, `observe` uses it to look at things that can no longer be found by the target."""
    earlier: Mapping[str, Observation] = field(default_factory=dict)
    """What the other steps observed before their first change in this case, by step: for the few
    facts that a change hides, such as the profile that an instance had."""
    watch: Watch = field(default=unwatched, compare=False)
    """Called while a long step goes on."""
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
        while not _hurriedly(ready):
            if datetime.now(UTC).timestamp() - begun > seconds or not self.wait(every):
                return False
        return True

    @cached_property
    def manifest(self) -> Manifest:
        """Of what the region has prepared, what may be used; nothing is needed to contain."""
        try:
            return self.prepared.manifest
        except Exception as error:
            self.risk(
                f"the manifest could not be read, so nothing in it was used: {explain(error)}"
            )
            return Manifest()


class Action(Generic[SubjectT_contra]):
    """Base of all actions: the defaults, and the shape that the runner relies on.

    Settings are arguments of the constructor; the playbook gives them from its options.
    """

    name: ClassVar[str]
    permissions: ClassVar[tuple[Permission, ...]]
    contains: ClassVar[bool] = False
    """Whether the target counts as contained only if this holds."""
    collects: ClassVar[bool] = False
    """Whether the evidence is incomplete if this fails."""
    writes_aws: ClassVar[bool] = True
    """False for actions that only read and save evidence."""
    stays: ClassVar[bool] = False
    """Whether release leaves what it did, as it leaves all evidence."""
    also_undoes: ClassVar[str] = ""
    """The step before this one that changes the same resources: what that one saw before is what
    release restores where this one saw only what a response had left."""
    cuts_off: ClassVar[bool] = True
    """Whether the target lacks something as long as a response's own state is in place."""

    @property
    def announce(self) -> bool:
        """Whether what is about to change is shown before it is done: for what hits more than the
        target, or loses something."""
        return False

    def observe(self, incident: Incident[SubjectT_contra]) -> Observation:
        """Reads the state of what this action changes. May raise `Skip`."""
        raise NotImplementedError

    def lacks(
        self, incident: Incident[SubjectT_contra], observation: Observation
    ) -> tuple[str, ...]:
        """What the observation lacks of the intended state, a line each; empty: it holds."""
        raise NotImplementedError

    def act(self, incident: Incident[SubjectT_contra], observation: Observation) -> None:
        """Brings about the intended state. May raise `Skip`, and any AWS error."""
        raise NotImplementedError

    def undo(self, incident: Incident[SubjectT_contra], before: Observation) -> None:
        """Restores the states in `before`: those that nobody else changed since."""
        raise NotImplementedError

    def is_own(self, incident: Incident[SubjectT_contra], resource: str, state: Any) -> bool:
        """Whether a response brings about this state, in whatever case and from whatever machine.

        Such a state is never recorded as the one before, and never restored.
        """
        return False

    def belongs_to(self, holder: str, state: Any) -> bool:
        """Whether a recorded state says itself that another case holds the target."""
        return False

    def hand_over(
        self, incident: Incident[SubjectT_contra], before: Observation, holder: str
    ) -> None:
        """On release, while another case holds the target: leaves the target to that case.

        Restores nothing. Most actions have nothing to do here.
        """

    def restored(self, before: Any, now: Any) -> bool:
        """Whether a state now counts as the one before; equality unless overridden."""
        return bool(before == now)


AnyAction = Action[Any]
"""An action on whatever subject."""
