"""How the runs of a case follow each other: a graph, for several may go on at the same time.

The first entry of a run holds the hash of the newest entry that was there, in whatever run, and
`follows` the newest entries of other runs that nothing followed yet; an entry written later may
name more (a run of another machine, seen in the vault). So a run that was removed leaves a hash
that nothing has, and the order of runs is that of their links, not of their names: a clock that
was a day ahead changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from responders.record.journal import GENESIS
from responders.record.run import Run

Parents = Mapping[str, frozenset[str]]
"""Name of a run to the names of those that it follows directly."""


def parents(runs: Iterable[Run]) -> Parents:
    """The links between runs; a hash that no run has is left out."""
    known = list(runs)
    owner = {digest: run.name for run in known for digest in run.hashes}
    return {
        run.name: frozenset(owner[d] for d in run.parents if d in owner) - {run.name}
        for run in known
    }


def in_order(runs: Iterable[Run]) -> list[Run]:
    """The runs, each after those that it follows; by name where nothing else decides."""
    waiting = {run.name: run for run in runs}
    links = parents(waiting.values())
    ordered: list[Run] = []
    while waiting:
        ready = [n for n in waiting if not links[n] & waiting.keys()]
        # Two that began at the same time may each have learned of the other: then the name says.
        name = min(ready or waiting)
        ordered.append(waiting.pop(name))
    return ordered


def tips(runs: Sequence[Run]) -> list[str]:
    """The newest entry of each run that no other run names yet, the last run's first."""
    named = frozenset(digest for run in runs for digest in run.parents)
    newest = [run.entries[-1].sha256 for run in reversed(in_order(runs)) if run.entries]
    return [digest for digest in newest if digest not in named]


def link_faults(runs: Sequence[Run]) -> list[tuple[str, str]]:
    """Runs that follow what is not there, as (run, what is wrong)."""
    known = {GENESIS}.union(*(run.hashes for run in runs))
    return [
        (run.name, "the run that it follows is missing or was changed")
        for run in in_order(runs)
        if run.parents - known
    ]


def forks(runs: Sequence[Run]) -> list[tuple[str, str]]:
    """Responses to one target of which neither knows of the other, as (run, what is wrong).

    Responses to different targets may go on at the same time, and so may what contains nothing.
    """
    ancestors = _ancestors(runs)
    before: dict[str, Run] = {}
    found = []
    for run in in_order(runs):
        if not run.is_response:
            continue
        earlier = before.get(run.target)
        if earlier and earlier.name not in ancestors[run.name]:
            found.append(
                (
                    run.name,
                    f"the case has two beginnings for {run.target}: this run and {earlier.name} "
                    "do not know of each other (two responders, or a forged run)",
                )
            )
        before[run.target] = run
    return found


def _ancestors(runs: Sequence[Run]) -> dict[str, set[str]]:
    links = parents(runs)
    found: dict[str, set[str]] = {}
    for name in links:
        known: set[str] = set()
        todo = list(links[name])
        while todo:
            one = todo.pop()
            if one not in known:
                known.add(one)
                todo += links[one]
        found[name] = known
    return found
