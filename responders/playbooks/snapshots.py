"""Goes on with a case's snapshots: locks, copies under the kit's key, shares. Takes no new ones.

The instance playbook begins the same; a copy can start only when its original is complete, which
takes hours. This is run again until nothing is still to come.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from responders.actions.copy_snapshots import CopySnapshots
from responders.actions.lock_snapshots import LockCopies, LockSnapshots
from responders.actions.share_snapshots import ShareSnapshots
from responders.actions.snapshot import TakeSnapshots
from responders.aws import Aws
from responders.graph import AnyStep, Step
from responders.json_values import Json
from responders.locate import Located
from responders.outcome import INCOMPLETE, Verdict, judge_work
from responders.playbook import Options, Playbook
from responders.runner import StepReport
from responders.scene import Scene


@dataclass(frozen=True)
class SnapshotOptions(Options):
    """How snapshots are locked (`lock_days`: days), whether they are copied, and waited for."""

    lock_mode: str = "governance"
    lock_days: int = 365
    copy: bool = True
    wait: bool = False


class SnapshotsPlaybook(Playbook[Scene, SnapshotOptions]):
    """The snapshots of one instance of the case."""

    options = SnapshotOptions

    def locate(self, aws: Aws, target: str, region: str | None) -> Located[Scene]:
        """The target as the case's record has it: the instance may be gone by now."""
        region = region or aws.home_region
        return Located(region, target, Scene(aws, region, target))

    def recorded(self, aws: Aws, begin: Mapping[str, Json]) -> Located[Scene]:
        """The instance whose snapshots they are."""
        return self.locate(aws, str(begin["target"]), str(begin["region"]))

    def steps(self, options: SnapshotOptions) -> tuple[Step[Scene], ...]:
        """The graph, also part of the instance playbook: there the set is taken first."""
        mode, days = options.lock_mode, options.lock_days
        copies = CopySnapshots(is_wanted=options.copy, waits=options.wait)
        return (
            Step(LockSnapshots(mode, days), after={TakeSnapshots: None}),
            Step(copies, after={TakeSnapshots: None}),
            Step(LockCopies(mode, days), after={CopySnapshots: None}),
            Step(ShareSnapshots(), after={CopySnapshots: None}),
        )

    def judge(
        self,
        graph: Sequence[AnyStep],
        reports: Sequence[StepReport],
        *,
        dry_run: bool,
        interrupted: bool,
    ) -> Verdict:
        """`preserved` only if every step holds, or does not apply."""
        return judge_work(
            reports,
            done="preserved",
            undone="not-preserved",
            failed=INCOMPLETE,
            dry_run=dry_run,
            interrupted=interrupted,
        )


PLAYBOOK = SnapshotsPlaybook()
