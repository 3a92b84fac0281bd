"""What is told to AWS Support about a case: from the case's own record, with no secret in it.

The record names targets, times and outcomes. Credentials, user data and evidence are never in it,
and nothing is attached.
"""

from __future__ import annotations

from dataclasses import dataclass

from responders.record.case import Case, Run

LIMIT = 7_500
"""Characters of the text; AWS takes 8,000."""
ASKED = """\
What we ask for:
1. Do you see abuse, or signs of compromise, in this account that are not named above?
2. What else do you know was done with the credentials and instances named above?
3. Please do not suspend or limit the account while we contain and collect evidence.
4. Please advise on charges that the attacker caused, and on what is still to be secured.

No credentials and no evidence are attached. We keep the evidence, and can hand it over on request.
"""
COMMANDS = ("instance", "key", "user", "role", "release", "hunt")
"""Runs that are told; the others are about our own tools."""


@dataclass(frozen=True)
class Draft:
    """A support case before it is opened. `subject` is the same for every run of a case."""

    subject: str
    body: str

    def as_text(self) -> str:
        """For pasting into a form."""
        return f"Subject: {self.subject}\n\n{self.body}"


def subject_of(case: str, account: str) -> str:
    """The subject: by it a support case is found again."""
    return f"[{case}] Security incident in account {account}: request for assistance"


def draft(case: Case, account: str, responder: str, note: str = "") -> Draft:
    """The text for a case, of at most `LIMIT` characters; the oldest lines are left out first."""
    head = (
        f"Our reference: {case.id}\nAccount: {account}\nResponder: {responder}\n\n"
        "We are responding to a security incident in this account and ask for your assistance.\n\n"
    )
    if note:
        head += f"{note.strip()}\n\n"
    lines = [_line(run) for run in case.runs() if run.begin.get("command") in COMMANDS]
    room = LIMIT - len(head) - len(ASKED) - 200
    return Draft(subject_of(case.id, account), head + _listed(lines, room) + ASKED)


def _line(run: Run) -> str:
    begin = run.begin
    outcome = run.end.get("outcome", "not finished")
    where = f" ({begin['region']})" if begin["command"] == "instance" else ""
    return f"- {begin['at']}  {begin['command']} {begin['target']}{where}: {outcome}"


def _listed(lines: list[str], room: int) -> str:
    if not lines:
        return "Nothing has been contained yet.\n\n"
    newest: list[str] = []
    for line in reversed(lines):
        room -= len(line) + 1
        if room < 0:
            newest.append(f"- {len(lines) - len(newest)} earlier entries are left out here")
            break
        newest.append(line)
    return "What we did so far, in UTC:\n" + "\n".join(reversed(newest)) + "\n\n"
