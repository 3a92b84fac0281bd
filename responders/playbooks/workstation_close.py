"""Closes a case's forensic workstation: machine and volumes go, snapshots stay."""

from __future__ import annotations

from collections.abc import Sequence

from responders.action import Options
from responders.actions.close_endpoints import CloseEndpoints
from responders.actions.close_machine import CloseMachine
from responders.actions.delete_volumes import DeleteVolumes
from responders.aws import Aws
from responders.locate import Located
from responders.outcome import NOT_CONTAINED, Verdict, judge_work
from responders.playbooks.workstation_open import locate, prepared_manifest
from responders.record.case import Case
from responders.runner import Step, StepReport

__all__ = ["check", "judge", "locate", "steps"]


def check(aws: Aws, located: Located, options: Options, case: Case) -> None:
    """BadInput where nothing is prepared: without the forensic VPC's id nothing can be found."""
    prepared_manifest(aws, located.region)


def steps(options: Options) -> tuple[Step, ...]:
    """The machine first: it holds the volumes, and uses the endpoints."""
    return (
        Step(CloseMachine()),
        Step(DeleteVolumes(), needs=("close-machine",)),
        Step(CloseEndpoints(), needs=("close-machine",)),
    )


def judge(
    graph: Sequence[Step], reports: Sequence[StepReport], *, dry_run: bool, interrupted: bool
) -> Verdict:
    """`closed` only if nothing is left."""
    return judge_work(
        reports,
        done="closed",
        undone="not-closed",
        failed=NOT_CONTAINED,
        dry_run=dry_run,
        interrupted=interrupted,
    )
