"""One run of a case, open: its journal, its evidence, and their copies in the vault.

Every command that keeps a record opens its run here, whether it changes AWS or only reads.
"""

from __future__ import annotations

import dataclasses
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from contract import VERSION
from responders.errors import JournalError
from responders.outcome import Evidence
from responders.record.case import Case, new_run, open_run
from responders.record.vault import Mirror, Vault

VAULT_WAIT = 20.0
"""Seconds that a finished response waits for its last uploads; `cordon case sync` finishes them."""
INTERRUPTED_WAIT = 5.0
"""The same for a run that the user interrupted; a second interrupt ends the wait at once."""
PATIENT_WAIT = 60.0
"""Seconds that a finished reading waits for them: nothing hangs on its end."""


@dataclass(frozen=True)
class Beginning:
    """What a run's first entry says: what was asked, of whom, and by whom.

    `target` is what the run is about, `asked` how the user wrote it. `subject` and `names`: see
    `Subject.as_recorded` and `Subject.names`. `resumable`: whether `cordon resume` can go on.
    """

    command: str
    target: str
    asked: str
    account: str
    region: str
    responder: str
    subject: str = ""
    names: Sequence[str] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    options_schema: int = 1
    resumable: bool = True
    despite_claims: tuple[str, ...] = ()
    """Whose claims on the target the user overrode, for a release."""
    clock_behind_s: float = 0.0
    """Seconds that this machine's clock is behind that of AWS."""


class OpenedRun:
    """A new run, or with `run` one to go on with."""

    def __init__(
        self, case: Case, find_vault: Callable[[], Vault | None], *, run: str = ""
    ) -> None:
        self.case = case
        self.mirror = Mirror(find_vault)
        self.run = run or new_run()
        self.journal, self.evidence = open_run(case, self.run, self.mirror)

    def begin(self, beginning: Beginning, caller: str) -> None:
        """Writes the first entry, or that the run goes on; JournalError when it can't be."""
        self.journal.caller = caller
        self.journal.append(
            "resume" if self.journal.entries else "begin",
            **dataclasses.asdict(beginning),
            kit=VERSION,
            host=platform.node(),
        )

    def close(
        self,
        outcome: str,
        *,
        steps: Mapping[str, str] | None = None,
        missing: Sequence[str] = (),
        interrupted: bool = False,
        wait: float = VAULT_WAIT,
    ) -> Evidence:
        """Journals the end and waits for the vault.

        `steps`: each step's status. `missing`: what the evidence lacks already, a line each.
        `wait`: seconds.
        """
        lines = list(missing)
        try:
            self.journal.append(
                "interrupted" if interrupted else "end", outcome=outcome, steps=dict(steps or {})
            )
        except JournalError as error:
            lines.append(error.message)
        if not_sent := self.mirror.close(min(wait, INTERRUPTED_WAIT) if interrupted else wait):
            lines.append(
                f"not in the vault yet: {not_sent} (cordon case sync --case {self.case.id} "
                "finishes it)"
            )
        bucket = self.mirror.bucket
        return Evidence(
            local=str(self.case.folder / self.run),
            vault=f"s3://{bucket}/cases/{self.case.id}/{self.run}/" if bucket else "",
            complete=not lines,
            interrupted=self.mirror.interrupted,
            trouble="; ".join(lines),
        )
