"""`python -m policies.gate`: judges a recording of the program, or a preview, and reports.

Exit codes: 0 everything was judged and found good; 1 something failed, or can't be believed; 2 bad
input.
"""

from __future__ import annotations

import argparse
import datetime
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from policies.bridge.errors import BridgeError
from policies.bridge.plan import Plan, plan
from policies.bridge.program import Stack, read_preview, read_recording
from policies.gate.ask import PYTHON, ROOT, ask
from policies.gate.judge import Case, Outcome, judge
from policies.gate.junit import junit
from policies.gate.sarif import sarif
from policies.gate.show import places, table
from policies.gate.waivers import FILE, read

POLICIES = ROOT / "policies" / "checkov"
BUILD = ROOT / "build"


def arguments(words: Sequence[str]) -> argparse.Namespace:
    """What was asked on the command line."""
    parser = argparse.ArgumentParser(prog="python -m policies.gate", description=__doc__)
    source = parser.add_mutually_exclusive_group(required=True)
    source.add_argument("--recording", type=Path, help="made by `python -m lab.record`")
    source.add_argument(
        "--preview", type=Path, action="append", help="made by `pulumi preview --json`; repeatable"
    )
    parser.add_argument("--waivers", type=Path, default=FILE, help="the reviewed exceptions")
    parser.add_argument("--policies", type=Path, default=POLICIES, help="folder of own policies")
    parser.add_argument("--build", type=Path, default=BUILD, help="where the reports go")
    parser.add_argument(
        "--checks", type=Path, help="list of the checks that must judge something, one a line"
    )
    parser.add_argument(
        "--learn", action="store_true", help="write that list anew, of what judges something now"
    )
    parser.add_argument("--check", action="append", default=[], help="judge this check only")
    parser.add_argument(
        "--partial", action="store_true", help="policies and waivers may find nothing to apply to"
    )
    return parser.parse_args(words)


def main(words: Sequence[str]) -> int:
    """Runs the gate; see the module for the exit codes."""
    args = arguments(words)
    reports = {args.build / "compliance.xml": junit, args.build / "compliance.sarif": sarif}
    for file in reports:
        # What an earlier run found must not be taken for this one's.
        file.unlink(missing_ok=True)
    try:
        plans = [plan(stack) for stack in _stacks(args)]
        outcome = _outcome(args, plans)
    except BridgeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    where = places(plans)
    for file, form in reports.items():
        file.write_text(form(outcome, where), encoding="utf-8")
    print("\n".join(table(outcome, where)))
    return 0 if outcome.good else 1


def _stacks(args: argparse.Namespace) -> tuple[Stack, ...]:
    if args.recording:
        return read_recording(args.recording)
    stacks = tuple(stack for file in args.preview for stack in read_preview(file))
    names = [stack.name for stack in stacks]
    if len(set(names)) != len(names):
        raise BridgeError(f"two previews are of one stack: {', '.join(sorted(names))}")
    return stacks


def _outcome(args: argparse.Namespace, plans: Sequence[Plan]) -> Outcome:
    waivers = read(args.waivers)
    if not any(not file.name.startswith("__") for file in args.policies.glob("*.py")):
        raise BridgeError(f"there is no policy in {args.policies}")
    report = ask(_written(plans, args.build), args.policies, args.build, PYTHON)
    judged = sorted({verdict.check for verdict in report.verdicts})
    if args.learn and args.checks:
        args.checks.write_text("\n".join([*judged, ""]), encoding="utf-8")
    return judge(
        Case(
            plans=plans,
            report=report,
            folder=args.policies,
            waivers=waivers,
            today=datetime.datetime.now(datetime.UTC).date(),
            only=frozenset(args.check),
            partial=args.partial,
            expected=_expected(args.checks),
        )
    )


def _expected(file: Path | None) -> frozenset[str]:
    """The ids of a list of checks; BridgeError when it can't be read or is empty."""
    if file is None:
        return frozenset()
    try:
        ids = frozenset(file.read_text(encoding="utf-8").split())
    except OSError as error:
        raise BridgeError(f"{file} can't be read: {error.strerror}") from error
    if not ids:
        raise BridgeError(f"{file} names no check; write it with --learn")
    return ids


def _written(plans: Sequence[Plan], build: Path) -> Mapping[str, Path]:
    """The plans as files, for Checkov and for whoever wants to look."""
    build.mkdir(parents=True, exist_ok=True)
    files = {stack_plan.stack: build / f"plan-{stack_plan.stack}.json" for stack_plan in plans}
    for stack_plan in plans:
        files[stack_plan.stack].write_text(stack_plan.to_json(), encoding="utf-8")
    return files


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
