"""Errors that say what to do next. One place, `responders.cli.boundary`, turns them into exits."""

from __future__ import annotations


class CordonError(Exception):
    """Something that a person can act on: what went wrong, and what to do."""

    exit_code = 4

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.advice = advice


class BadInput(CordonError):
    """The command can't be carried out as given; nothing was touched."""

    exit_code = 2


class NotContained(CordonError):
    """The response could not begin; nothing was contained."""

    exit_code = 1


class Incomplete(CordonError):
    """What was asked was done in part: evidence is missing, or not yet in the vault."""

    exit_code = 3


class JournalError(CordonError):
    """The record could not be written or does not verify. Nothing may be changed without it."""

    exit_code = 1


class InterruptedBeforeBeginning(CordonError):
    """The user stopped the command before it had changed or recorded anything."""

    exit_code = 130

    def __init__(self) -> None:
        super().__init__(
            "interrupted before anything was changed or recorded",
            "There is nothing to resume: run the command again.",
        )


class Skip(Exception):
    """Raised by an action that does nothing here; the reason goes into the result.

    `incomplete`: it was wanted and could not be done, so the whole must not count as complete.
    """

    def __init__(self, reason: str, *, incomplete: bool = False) -> None:
        super().__init__(reason)
        self.incomplete = incomplete
