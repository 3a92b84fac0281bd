"""A run of a case that changes nothing in AWS: it is recorded, and needs no lock.

It may take an hour, and must not keep anybody from containing what it finds in the same case. Its
journal follows the newest entry that is there when it begins, whichever run that is of.
"""

from __future__ import annotations

from responders.aws import Aws
from responders.record import vault
from responders.record.case import Case
from responders.record.opened_run import Beginning, OpenedRun


def open_reading(aws: Aws, case_id: str, command: str, target: str, responder: str) -> OpenedRun:
    """Such a run, begun; JournalError when it can't be written down."""
    case = Case(case_id)
    case.make()
    run = OpenedRun(case, lambda: vault.find(aws, aws.home_region))
    run.begin(
        Beginning(
            command=command,
            target=target,
            asked=target,
            account=aws.identity.account,
            region=aws.home_region,
            responder=responder,
            resumable=False,
        ),
        aws.identity.arn,
    )
    return run
