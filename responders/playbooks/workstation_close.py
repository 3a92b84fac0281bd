"""Closes a case's forensic workstation: machine and volumes go, snapshots stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from responders.actions.close_endpoints import CloseEndpoints
from responders.actions.close_machine import CloseMachine
from responders.actions.delete_volumes import DeleteVolumes
from responders.aws import Aws
from responders.graph import AnyStep, Step
from responders.json_values import Json
from responders.locate import Located
from responders.outcome import NOT_CONTAINED, Verdict, judge_work
from responders.playbook import Options, Playbook
from responders.playbooks import workstation_open
from responders.record.case import Case
from responders.runner import StepReport
from responders.volumes.workstation import Workstation


class ClosePlaybook(Playbook[Workstation, Options]):
    """The workstation is closed only if nothing of it is left."""

    options = Options

    def locate(self, aws: Aws, target: str, region: str | None) -> Located[Workstation]:
        """As it was opened."""
        return workstation_open.PLAYBOOK.locate(aws, target, region)

    def recorded(self, aws: Aws, begin: Mapping[str, Json]) -> Located[Workstation]:
        """The workstation in that run's region."""
        return workstation_open.PLAYBOOK.recorded(aws, begin)

    def check(self, aws: Aws, located: Located[Workstation], options: Options, case: Case) -> None:
        """BadInput where nothing is prepared: without the forensic VPC's id nothing is found."""
        workstation_open.prepared_manifest(aws, located.region)

    def steps(self, options: Options) -> tuple[Step[Workstation], ...]:
        """The machine first: it holds the volumes, and uses the endpoints."""
        return (
            Step(CloseMachine()),
            Step(DeleteVolumes(), needs=(CloseMachine,)),
            Step(CloseEndpoints(), needs=(CloseMachine,)),
        )

    def judge(
        self,
        graph: Sequence[AnyStep],
        reports: Sequence[StepReport],
        *,
        dry_run: bool,
        interrupted: bool,
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


PLAYBOOK = ClosePlaybook()
