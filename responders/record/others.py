"""What other machines do in a case and on its target, learned from the vault.

A containment asks in the background and waits for nothing: what comes back is written into its
journal and told at its end. A release asks first, with bounded patience, because it opens what
another one may hold.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Generic, TypeVar

from responders.aws import explain
from responders.record import sync
from responders.record.case import Case
from responders.record.chain import tips
from responders.record.claims import CLAIMED_FOR, RENEWED_EVERY, Claims, State, Work
from responders.record.journal import ENTRY_BYTES, Journal, examine
from responders.record.run import NAME, Run
from responders.record.vault import Mirror, Stored, Vault

PATIENCE = 10.0
"""Seconds that a release or a resume waits to learn what the vault knows."""
MOST_RUNS = 50
"""Most runs of other machines that a run looks at, the newest by name."""
T = TypeVar("T")


@dataclass(frozen=True)
class Answer(Generic[T]):
    """What a question to the vault gave, or why it gave nothing."""

    value: T | None = None
    trouble: str = ""


def ask(work: Callable[[], T], seconds: float = PATIENCE) -> Answer[T]:
    """Does `work` in a thread that nothing waits for longer than `seconds`."""
    answers: list[Answer[T]] = []

    def run() -> None:
        try:
            answers.append(Answer(work()))
        except Exception as error:
            answers.append(Answer(trouble=f"the vault can't be reached: {explain(error)}"))

    # A thread of its own, and a daemon: one that hangs must not keep the process from ending.
    thread = threading.Thread(target=run, daemon=True, name="ask the vault")
    thread.start()
    thread.join(seconds)
    late = Answer[T](trouble=f"the vault did not answer within {seconds:.0f} s")
    return answers[0] if answers else late


def fetch(case: Case, find_vault: Callable[[], Vault | None]) -> str:
    """Fetches what other machines wrote down in a case; gives the reason when it can't."""

    def work() -> str:
        vault = find_vault()
        if vault is None:
            return "no vault is prepared where this case is"
        return "; ".join(sync.fetch_journals(case, vault).conflicts)

    answer = ask(work)
    return answer.trouble or answer.value or ""


class Presence:
    """That this run works on its target, as others see it in the vault; and what they do there."""

    def __init__(self, case: Case, account: str, target: str, mine: Work) -> None:
        self._case, self._account, self._target, self._mine = case, account, target, mine
        self._lock = threading.Lock()
        self._before = State()
        self._trouble = ""
        self._claimed = threading.Event()
        self._ended = threading.Event()
        self._changing = threading.Lock()
        """Held while this run's own entry is written: no renewal may follow the end."""

    def claims(self, vault: Vault) -> Claims:
        """The target's log."""
        return Claims(vault, self._account, self._target)

    def announce(self, mirror: Mirror, journal: Journal) -> None:
        """Claims the target, and links this run to those of other machines, in the background."""
        mirror.later(lambda vault: self._try(self._claim, vault))
        mirror.later(lambda vault: self._try(lambda v: self._link(v, journal), vault))
        threading.Thread(target=self._keep, args=(mirror,), daemon=True, name="claim").start()

    def _keep(self, mirror: Mirror) -> None:
        """Claims the target again from time to time, until this run ends or its process dies."""
        while not self._ended.wait(RENEWED_EVERY.total_seconds()):
            mirror.later(lambda vault: self._try(self._renew, vault))

    def _renew(self, vault: Vault) -> None:
        with self._changing:
            if not self._ended.is_set():
                mine = replace(self._mine, until=datetime.now(UTC) + CLAIMED_FOR)
                self.claims(vault).change(lambda state: state.begun(mine))

    def leave(self, mirror: Mirror, *, released: bool) -> None:
        """Says that this run has ended, in the background; its case holds on unless `released`."""

        def end(vault: Vault) -> None:
            self._claimed.wait(PATIENCE)  # uploads have no order, and this must come second
            with self._changing:
                claims = self.claims(vault)
                claims.change(lambda state: state.ended(self._mine, released=released))

        self._ended.set()
        mirror.later(lambda vault: self._try(end, vault))

    def _try(self, work: Callable[[Vault], None], vault: Vault) -> None:
        # What fails here keeps no evidence from the vault: it is told beside it.
        try:
            work(vault)
        except Exception as error:
            with self._lock:
                self._trouble = self._trouble or explain(error)

    def _claim(self, vault: Vault) -> None:
        try:
            before = self.claims(vault).change(lambda state: state.begun(self._mine))
        finally:
            self._claimed.set()
        with self._lock:
            self._before = before

    @property
    def others(self) -> tuple[str, ...]:
        """Who else worked on the target when this run began, and what is not known of it."""
        with self._lock:
            before, trouble = self._before, self._trouble
        lines = [
            f"another responder works on {self._target} at the same time: {work}; both records are "
            "kept, and the network opens when both cases have released it"
            for work in before.others(self._mine)
        ]
        if trouble:
            lines.append(
                f"the vault could not be told who works on {self._target}, so others may do so at "
                f"the same time: {trouble}"
            )
        return tuple(lines)

    def _link(self, vault: Vault, journal: Journal) -> None:
        """Names, in this run's journal, the newest entries of the target's runs elsewhere."""
        runs = runs_elsewhere(self._case, vault, but=journal.run)
        known = {digest for run in self._case.runs() for digest in run.parents}
        follows = [
            digest
            for digest in tips([run for run in runs if run.target == self._target])
            if digest not in known
        ]
        if follows:
            journal.append("follows", follows=follows)


def runs_elsewhere(case: Case, vault: Vault, *, but: str) -> list[Run]:
    """The runs of a case that only the vault knows, the newest `MOST_RUNS` of them."""
    prefix = f"cases/{case.id}/"
    runs: dict[str, dict[str, tuple[str, Stored]]] = {}
    for key, stored in vault.objects(prefix).items():
        run, _, name = key.removeprefix(prefix).partition("/journal/")
        if NAME.fullmatch(run) and name and stored.size <= ENTRY_BYTES:
            runs.setdefault(run, {})[name] = (key, stored)
    here = {*case.runs_on_disk(), but}
    unknown = sorted(name for name in runs if name not in here)[-MOST_RUNS:]
    return [_read(case.id, vault, name, runs[name]) for name in unknown]


def _read(case_id: str, vault: Vault, name: str, listed: Mapping[str, tuple[str, Stored]]) -> Run:
    bodies = sync.read_all(vault, dict(listed.values()))
    files = [(file, lambda key=key: bodies[key]) for file, (key, _stored) in listed.items()]
    return Run.of(name, examine(files, case=case_id, run=name))
