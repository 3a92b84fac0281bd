"""What a playbook is: which actions answer one kind of incident, and in which order.

A playbook is a module of `responders.playbooks` that holds an object of a class derived from
`Playbook` as `PLAYBOOK`. The module has the name of the command: `workstation_open` is the playbook
of `cordon workstation open`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar, Generic, TypeVar

from contract import load_unit, load_units, unit_names
from responders import playbooks
from responders.action import Subject
from responders.aws import Aws
from responders.errors import BadInput
from responders.graph import AnyStep, Step
from responders.locate import Located
from responders.outcome import Verdict, judge_response
from responders.record.case import Case
from responders.runner import StepReport


@dataclass(frozen=True)
class Options:
    """What the user chose for one playbook, which derives its own from this. Never a secret.

    Journaled, so that a later run goes on with the same. Times are seconds; defaults are the
    contain-first policy that destroys nothing.
    """


SubjectT = TypeVar("SubjectT", bound=Subject)
OptionsT = TypeVar("OptionsT", bound=Options)

FLAT_SCHEMA = 1
"""Schema of the options that 0.1.0 journaled: one list, with the options of all playbooks in it."""


class Playbook(Generic[SubjectT, OptionsT]):
    """One kind of incident: how its target is found, what is refused, and what is done."""

    options: type[OptionsT]
    schema: ClassVar[int] = 2
    """Of the journaled options. Raise it, and override `upgraded`, when an option changes its name
    or meaning; a new option with a default needs neither."""
    is_released: ClassVar[bool] = False
    """Whether `cordon release` undoes what this playbook did."""
    is_resumed: ClassVar[bool] = True
    """Whether `cordon resume` goes on with a run that was cut off."""

    def locate(self, aws: Aws, target: str, region: str | None) -> Located[SubjectT]:
        """Finds the one thing that the target means; BadInput or NotContained when it can't."""
        raise NotImplementedError

    def recorded(self, aws: Aws, begin: Mapping[str, Any]) -> Located[SubjectT]:
        """The target as the run that began so had located it; nothing is looked up."""
        raise NotImplementedError

    def check(self, aws: Aws, located: Located[SubjectT], options: OptionsT, case: Case) -> None:
        """Raises BadInput when these options can't be carried out on it; nothing was touched."""

    def check_release(self, located: Located[SubjectT], case: Case) -> None:
        """Raises BadInput when the target must not be let out now."""

    def other_holder(self, subject: SubjectT, case: str) -> str:
        """Another case that holds the target, as the target itself says; empty: none."""
        return ""

    def hunt_command(self, located: Located[SubjectT], options: OptionsT) -> str:
        """The command that looks for what else was done with the target; empty for none."""
        return ""

    def steps(self, options: OptionsT) -> tuple[Step[SubjectT], ...]:
        """The graph for these options, in the order in which release undoes it backwards."""
        raise NotImplementedError

    def judge(
        self,
        graph: Sequence[AnyStep],
        reports: Sequence[StepReport],
        *,
        dry_run: bool,
        interrupted: bool,
    ) -> Verdict:
        """The outcome's word and exit code; for a playbook that contains, unless overridden."""
        return judge_response(graph, reports, dry_run=dry_run, interrupted=interrupted)

    def upgraded(self, schema: int, journaled: Mapping[str, Any]) -> Mapping[str, Any]:
        """Options of an older schema in the words of the present one."""
        return journaled

    def from_journal(self, begin: Mapping[str, Any]) -> OptionsT:
        """The options that a run began with, by this version or by an older one.

        BadInput for what a newer version wrote: what is not understood can't be undone.
        """
        schema = int(begin.get("options_schema", FLAT_SCHEMA))
        journaled = self.upgraded(schema, dict(begin["options"]))
        known = {field.name for field in dataclasses.fields(self.options)}
        if schema == FLAT_SCHEMA:
            journaled = {k: v for k, v in journaled.items() if k in known or k not in _FLAT}
        unknown = sorted(set(journaled) - known)
        if unknown or schema > self.schema:
            raise BadInput(
                "the run was begun by a newer version of cordon"
                + (f" (options {', '.join(unknown)})" if unknown else f" (schema {schema})"),
                "Use that version to resume or release it.",
            )
        # JSON has no tuples, and options are hashable.
        return self.options(
            **{k: tuple(v) if isinstance(v, list) else v for k, v in journaled.items()}
        )


AnyPlaybook = Playbook[Any, Any]

_FLAT = frozenset(
    (
        "tracking dwell evidence_first deadline memory hibernate host_firewall stop stop_protected "
        "snapshot lock_mode lock_days copy wait detach replace nacl isolated_profile role_wide "
        "keep_imds all_keys delete force_own_key session deny_all renew delete_login zone image "
        "machine volume_type volume_size volume_iops snapshots hashing from_account service "
        "category severity text"
    ).split()
)
"""Names of all options of 0.1.0: in its journals each playbook finds the others' among its own."""


def by_command(command: str) -> AnyPlaybook:
    """The playbook of a command, imported only now; BadInput for a command that has none."""
    name = command.replace(" ", "_")
    if name not in unit_names(playbooks):
        raise BadInput(
            f"this version of cordon has no playbook for {command!r}",
            "Use the version that began the case.",
        )
    return load_unit(playbooks, name, "PLAYBOOK", Playbook)


@cache
def released_commands() -> frozenset[str]:
    """The commands whose work `cordon release` undoes."""
    every = load_units(playbooks, "PLAYBOOK", Playbook)
    return frozenset(n.replace("_", " ") for n, book in every.items() if book.is_released)
