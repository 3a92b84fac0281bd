"""Goes on with a case's snapshots: locks, copies under the kit's key, shares. Takes no new ones.

The instance playbook begins the same; a copy can start only when its original is complete, which
takes hours. This is run again until nothing is still to come.
"""

from __future__ import annotations

from collections.abc import Sequence

from responders.action import Options
from responders.actions.copy_snapshots import CopySnapshots
from responders.actions.lock_snapshots import LockCopies, LockSnapshots
from responders.actions.share_snapshots import ShareSnapshots
from responders.aws import Aws
from responders.locate import Located
from responders.outcome import INCOMPLETE, Verdict, judge_work
from responders.record.case import Case
from responders.runner import Step, StepReport


def locate(aws: Aws, target: str, region: str | None) -> Located:
    """The target as the case's record has it: the instance may be gone by now."""
    return Located(region or aws.home_region, target)


def check(aws: Aws, located: Located, options: Options, case: Case) -> None:
    """Every option applies."""


def steps(options: Options) -> tuple[Step, ...]:
    """The graph, also part of the instance playbook: there the set is taken first."""
    return (
        Step(LockSnapshots(), after={"snapshot": None}),
        Step(CopySnapshots(), after={"snapshot": None}),
        Step(LockCopies(), after={"copy-snapshots": None}),
        Step(ShareSnapshots(), after={"copy-snapshots": None}),
    )


def judge(
    graph: Sequence[Step], reports: Sequence[StepReport], *, dry_run: bool, interrupted: bool
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
