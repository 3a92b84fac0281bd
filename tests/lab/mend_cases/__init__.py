"""What AWS does and plain moto does not: a file for each mend, a function for each case.

A case takes an `Account` and raises (an assertion, or whatever moto raises) unless the account
behaves as AWS does. `python -m tests.lab.mend_cases` runs the cases on plain moto and with each
mend left out, and prints, as JSON, which failed.
"""

from __future__ import annotations

import importlib
import pkgutil

from tests.lab.mend_cases.account import CASES, Account

__all__ = ["CASES", "Account", "cases_of"]

for _entry in pkgutil.iter_modules(__path__):
    if _entry.name != "__main__":
        importlib.import_module(f"{__name__}.{_entry.name}")


def cases_of(mend: str) -> list[str]:
    """The names of the cases in a mend's file."""
    return [name for name, case in CASES.items() if case.__module__ == f"{__name__}.{mend}"]
