"""A run of a case that changes nothing in AWS: it is recorded, and needs no lock.

It may take an hour, and must not keep anybody from containing what it finds in the same case. Its
journal follows the newest entry that is there when it begins, whichever run that is of.
"""

from __future__ import annotations

import platform
from collections.abc import Sequence

from contract import VERSION
from responders.aws import Aws
from responders.errors import JournalError
from responders.outcome import Evidence
from responders.record import vault
from responders.record.case import Case, new_run, open_run
from responders.record.vault import Mirror

WAIT = 60.0
"""Seconds that a finished run waits for its last uploads; `cordon case sync` finishes the rest."""


class Recorded:
    """One such run, begun when it is made; JournalError when it can't be written down."""

    def __init__(self, aws: Aws, case: str, command: str, target: str, responder: str) -> None:
        self.case = Case(case)
        self.run = new_run()
        self._mirror = Mirror(lambda: vault.find(aws, aws.home_region))
        self.case.make()
        self._journal, self._evidence = open_run(self.case, self.run, self._mirror)
        self._journal.caller = aws.identity.arn
        self._journal.append(
            "begin",
            command=command,
            target=target,
            asked=target,
            account=aws.identity.account,
            region=aws.home_region,
            responder=responder,
            options={},
            resumable=False,
            kit=VERSION,
            host=platform.node(),
        )

    def save(self, name: str, data: bytes) -> None:
        """Keeps evidence: on disk, its hash in the journal, a copy in the vault."""
        self._evidence.save(name, data)

    def close(self, outcome: str, missing: Sequence[str] = (), *, ended: bool = True) -> Evidence:
        """Journals the end and waits for the vault. `missing`: what the evidence lacks already."""
        lines = list(missing)
        try:
            self._journal.append("end" if ended else "interrupted", outcome=outcome, steps={})
        except JournalError as error:
            lines.append(error.message)
        if not_sent := self._mirror.close(WAIT):
            lines.append(
                f"not in the vault yet: {not_sent} (cordon case sync --case {self.case.id} "
                "finishes it)"
            )
        place = f"cases/{self.case.id}/{self.run}/"
        return Evidence(
            local=str(self.case.folder / self.run),
            vault=f"s3://{self._mirror.bucket}/{place}" if self._mirror.bucket else "",
            complete=not lines,
            trouble="; ".join(lines),
        )
