"""`python -m policies.judge FILE`: judges the policy documents that `lab.documents` wrote down.

Exit code 0 when nothing is found but what a waiver accepts, 1 for findings, for waivers that are
expired or unused and for an empty file, 2 when a file can't be read.
"""

from __future__ import annotations

import datetime
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from policies.bridge.errors import BridgeError
from policies.gate import waivers
from policies.gate.waivers import Waiver
from policies.judge.document import Document, Kind
from policies.judge.outsider import second_opinion
from policies.judge.rules import Finding, judge

WAIVERS = Path(__file__).with_name("waivers.toml")


def findings(documents: Sequence[Document]) -> list[Finding]:
    """Those of our rules, then parliament's."""
    return [*judge(documents), *second_opinion(documents)]


def verdict(
    findings: Sequence[Finding], accepted: Sequence[Waiver], today: datetime.date
) -> list[str]:
    """What is not accepted, and which waivers are out of date, as lines."""
    lines = [str(finding) for finding in findings if not any(w.covers(finding) for w in accepted)]
    for waiver in accepted:
        if waiver.expires < today:
            lines.append(f"{waiver} expired on {waiver.expires}: mend the cause, or renew it")
        if not waiver.reason:
            lines.append(f"{waiver} has no reason")
        if not any(waiver.covers(finding) for finding in findings):
            lines.append(f"{waiver} is not needed any more: remove it")
    return list(dict.fromkeys(lines))


def read(file: Path) -> list[Document]:
    """The documents of a file; BridgeError when it can't be read or holds none."""
    try:
        rows = json.loads(file.read_text(encoding="utf-8"))
        documents = [Document(**{**row, "kind": Kind(row["kind"])}) for row in rows]
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise BridgeError(f"{file} is no list of policy documents: {error}") from error
    if not documents:
        raise BridgeError(f"{file} holds no policy document: nothing was judged")
    return documents


def main(arguments: Sequence[str]) -> int:
    """Judges the file named and prints what is wrong."""
    if len(arguments) != 1:
        print("usage: python -m policies.judge FILE", file=sys.stderr)
        return 2
    try:
        documents, accepted = read(Path(arguments[0])), waivers.read(WAIVERS)
    except BridgeError as error:
        print(error, file=sys.stderr)
        return 2
    lines = verdict(findings(documents), accepted, datetime.date.today())
    for line in lines:
        print(line)
    print(f"{len(documents)} policy documents judged, {len(lines)} faults", file=sys.stderr)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
