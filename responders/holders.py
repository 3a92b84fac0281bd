"""Who else works on a target or holds it: what a release must know before it opens anything.

By the target's own tags, and by the log of claims in the vault. Either can be forged: a forged one
keeps a target contained, and that is what it is believed for.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection
from typing import Generic, TypeVar

from responders.action import Subject
from responders.aws import Aws
from responders.errors import BadInput
from responders.locate import Located
from responders.playbook import AnyPlaybook
from responders.record import vault
from responders.record.claims import Claims, State, work_here
from responders.record.others import PATIENCE, Answer, ask

LOOK_AGAIN = 2.0
"""Seconds that a last look, right before something is opened, waits for the vault."""
SubjectT = TypeVar("SubjectT", bound=Subject)


class Holders(Generic[SubjectT]):
    """Asks about one target, for the release of one case."""

    def __init__(
        self,
        case: str,
        aws: Aws,
        playbook: AnyPlaybook,
        located: Located[SubjectT],
        responder: str,
        despite: Collection[str] = (),
    ) -> None:
        """`despite`: responders and cases whose claims the user says are wrong."""
        self._case, self._aws, self._despite = case, aws, frozenset(despite)
        self._playbook, self._located = playbook, located
        self._mine = work_here(case, "", responder)

    def refuse_if_at_work(self) -> list[str]:
        """BadInput while another machine works on the target; what is not known, a line each."""
        answer = self._claims(PATIENCE)
        for work in (answer.value or State()).others(self._mine):
            if self._despite & {work.holder, work.case}:
                continue
            raise BadInput(
                f"another responder works on {self._located.target}: {work}; nothing was restored",
                "Wait for it to end, then release. If nobody works on it, because that claim is "
                "forged or its holder is gone, say so: "
                f"--despite-claim {shlex.quote(work.holder)}",
            )
        if answer.trouble:
            return [f"who else works on {self._located.target} is not known: {answer.trouble}"]
        return []

    def others(self) -> tuple[str, ...]:
        """The other cases that hold the target now, looked up afresh."""
        holding = (self._claims(LOOK_AGAIN).value or State()).holding
        tagged = self._playbook.other_holder(self._located.subject.afresh(), self._case)
        known = frozenset(("", self._case)) | self._despite
        return tuple(dict.fromkeys(case for case in (*holding, tagged) if case not in known))

    def how_to_go_on(self, other: str) -> str:
        """What keeps a release back, since when, and how to release all the same."""
        target, quoted = self._located.target, shlex.quote(other)

        def ask_claimant() -> str:
            claims = self._log()
            return claims.claimant(other) if claims else ""

        who = ask(ask_claimant, LOOK_AGAIN).value
        return (
            f"case {other} holds {target} too ({who or 'nobody says who claimed it, or when'}): "
            f"release it there (cordon release {target} --case {quoted}); if that case is over, or "
            f"its claim is forged, release here with --despite-claim {quoted}"
        )

    def _claims(self, seconds: float) -> Answer[State]:
        def read() -> State:
            claims = self._log()
            return claims.read() if claims else State()

        return ask(read, seconds)

    def _log(self) -> Claims | None:
        bucket = vault.find(self._aws, self._located.region)
        account = self._located.account or self._aws.identity.account
        return Claims(bucket, account, self._located.target) if bucket else None
