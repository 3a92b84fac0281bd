"""All rules together: what one event gives out."""

from __future__ import annotations

from responders.hunt import control_rules, minting_rules
from responders.hunt.event import Event
from responders.hunt.follow import Account, Given, Rules
from responders.hunt.subjects import Subject
from responders.hunt.table import plain

RULES: Rules = {**minting_rules.RULES, **control_rules.RULES}


def given(event: Event, by: Subject, account: Account) -> list[Given]:
    """What `by` received through an event; empty for calls that failed."""
    if event.error:
        return []
    rules = (*RULES.get((event.service, plain(event.name)), ()), control_rules.forwarded)
    return [offer for rule in rules for offer in rule(event, by, account)]
