"""What else a case's record calls its targets: an instance's addresses, an identity's ARN and id.

Containment takes the public address from an instance, and a role may be deleted later. Whoever
wrote such a name then must find the same target again with it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection, Iterable, Iterator, Mapping

from responders.json_values import Json
from responders.record.run import Run


def runs_of(runs: Iterable[Run], name: str, commands: Collection[str]) -> dict[str, Run]:
    """Target to the newest of these commands' runs on it, for each target that `name` may mean.

    A target's own id means nothing else. `runs` are in their order, the newest last.
    """
    responses = [run for run in runs if run.begin.get("command") in commands]
    sought = _normalized(name)
    known: dict[str, set[str]] = {}
    for run in responses:
        known.setdefault(run.target, set()).update(map(_normalized, _names(run)))
    targets = {name} if name in known else {t for t, names in known.items() if sought in names}
    return {run.target: run for run in responses if run.target in targets}


def _names(run: Run) -> Iterator[str]:
    """What was asked, what the run wrote down as names, and the addresses that it changed."""
    yield str(run.begin.get("asked", ""))
    yield from map(str, run.begin.get("names", ()))
    if run.begin.get("subject") == run.target:
        yield run.target.partition("/")[2]  # user/alice, which people call alice
    for entry in run.entries:
        if entry.kind == "intend":
            yield from _addresses(entry.body.get("seen", {}))


def _addresses(seen: Mapping[str, Json]) -> Iterator[str]:
    for state in seen.values() if isinstance(seen, Mapping) else ():
        if isinstance(state, Mapping):
            yield from (str(state[key]) for key in ("address", "private") if state.get(key))


def _normalized(name: str) -> str:
    """An address in its one shortest form; anything else as it is."""
    try:
        return str(ipaddress.ip_address(name.strip()))
    except ValueError:
        return name.strip()
