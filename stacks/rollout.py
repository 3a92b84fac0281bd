"""Deploys many stacks, one per account, a few at a time, and says which failed.

    python -m stacks.rollout preview             every stacks/Pulumi.<stack>.yaml
    python -m stacks.rollout up payments web     only these
    python -m stacks.rollout up --parallel 8 --max-failures 3 --logs rollout-logs

Run it in the folder of `Pulumi.yaml`. Each stack is refreshed first, so that what somebody deleted
or changed by hand is known before the plan is made; `--no-refresh` saves the time that takes.
One account's failure stops no other. Exit code: 0 all stacks are done, 1 some failed or were not
begun, 2 bad input and no stack was begun, 130 interrupted.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from stacks.extras import require

if TYPE_CHECKING:
    from pulumi import automation

EXAMPLE = "example"
PARALLEL = 4
"""Stacks at a time. Each takes a Pulumi process and a provider: a core and about half a GB."""
TAIL = 12
"""Lines of Pulumi's output that the report keeps of a failure."""


class BadRollout(ValueError):
    """A roll-out that must not begin. The message says what to do."""


@dataclass(frozen=True)
class Result:
    """What became of one stack. `status` is `done`, `failed` or `skipped` (not begun).

    `detail` counts the changes, or is the end of Pulumi's output; `seconds` is how long it took.
    """

    stack: str
    status: str
    detail: str
    seconds: float = 0.0

    def line(self) -> str:
        """One row of the report."""
        return f"{self.status:8}{self.stack}  {self.seconds:.0f} s  {self.detail}"


class Deployable(Protocol):
    """A stack as Pulumi's Automation API has it: the part that is used here."""

    def preview(
        self, *, on_output: Write, color: str, refresh: bool
    ) -> automation.PreviewResult: ...

    def up(
        self, *, on_output: Write, color: str, show_secrets: bool, refresh: bool
    ) -> automation.UpResult: ...


Write = Callable[[str], object]
"""Takes a piece of Pulumi's output."""
Opener = Callable[[str, Path], Deployable]
"""Opens the stack of this name of the project in this folder."""


def open_stack(name: str, project: Path) -> Deployable:
    """The project's stack of this name; created if the backend does not know it yet."""
    from pulumi import automation  # a second of imports, which `--help` does not need

    stack: Deployable = automation.create_or_select_stack(name, work_dir=str(project))
    return stack


@dataclass(frozen=True)
class Plan:
    """How to deploy: `verb` is `preview` or `up`, `parallel` the stacks at a time.

    After `max_failures` (0: never) no further stack is begun.
    """

    verb: str
    project: Path = Path()
    refresh: bool = True
    parallel: int = PARALLEL
    max_failures: int = 0


def accounts(folder: Path, names: Sequence[str] = ()) -> dict[str, str]:
    """The account of each named stack, or of all that have a file in `folder`.

    BadRollout unless each file allows exactly one account.

    `aws:allowedAccountIds` is what keeps one account's settings out of another.
    """
    files = {f.name[len("Pulumi.") : -len(".yaml")]: f for f in folder.glob("Pulumi.*.yaml")}
    files.pop(EXAMPLE, None)
    if missing := sorted(set(names) - files.keys()):
        raise BadRollout(f"there is no {folder.name}/Pulumi.{missing[0]}.yaml; write it first")
    chosen = {name: _account(files[name]) for name in (names or sorted(files))}
    if not chosen:
        raise BadRollout(f"no {folder.name}/Pulumi.<stack>.yaml; copy the example first")
    return chosen


def _account(file: Path) -> str:
    import yaml  # comes with Pulumi

    config = (yaml.safe_load(file.read_text()) or {}).get("config") or {}
    allowed = config.get("aws:allowedAccountIds")
    if not isinstance(allowed, list) or len(allowed) != 1:
        raise BadRollout(
            f'{file.name} must set aws:allowedAccountIds to its one account, like ["111122223333"]'
        )
    return str(allowed[0])


def roll_out(
    stacks: Iterable[str],
    plan: Plan,
    *,
    opener: Opener = open_stack,
    report: Callable[[Result], object] = lambda result: None,
    log: Callable[[str], Write] = lambda stack: lambda text: None,
) -> tuple[Result, ...]:
    """Deploys each stack; results in the stacks' order.

    `report` is called with each result as it comes. `log` gives, per stack, what takes Pulumi's
    output. An interrupt begins no further stack and waits for those that run.
    """
    stop, failures = threading.Event(), threading.Semaphore(max(plan.max_failures - 1, 0))

    def deploy_unless_stopped(stack: str) -> Result:
        if stop.is_set():
            result = Result(stack, "skipped", "not begun")
        else:
            result = _deploy(stack, plan, opener, log(stack))
        if result.status == "failed" and plan.max_failures:
            # The semaphore holds one permit less than the limit: who gets none is the last one.
            if not failures.acquire(blocking=False):
                stop.set()
        report(result)
        return result

    with ThreadPoolExecutor(plan.parallel, thread_name_prefix="rollout") as pool:
        running = [pool.submit(deploy_unless_stopped, stack) for stack in stacks]
        try:
            return tuple(future.result() for future in running)
        except BaseException:
            stop.set()
            raise


def _deploy(stack: str, plan: Plan, opener: Opener, write: Write) -> Result:
    started = time.monotonic()
    try:
        changes = _changes(opener(stack, plan.project), plan, write)
    except Exception as error:
        # Whatever kind it is, it is this stack's own: the report says so, and the others go on.
        write(f"{error}\n")
        return Result(stack, "failed", _tail(error), time.monotonic() - started)
    return Result(stack, "done", _counted(changes), time.monotonic() - started)


def _changes(stack: Deployable, plan: Plan, write: Write) -> Mapping[automation.OpType, int] | None:
    """Previews or deploys; how many resources are created, changed and so on."""
    if plan.verb == "preview":
        return stack.preview(on_output=write, color="never", refresh=plan.refresh).change_summary
    deployed = stack.up(on_output=write, color="never", show_secrets=False, refresh=plan.refresh)
    return deployed.summary.resource_changes


def _counted(changes: Mapping[automation.OpType, int] | None) -> str:
    named = {str(getattr(kind, "value", kind)): n for kind, n in (changes or {}).items()}
    return ", ".join(f"{n} {kind}" for kind, n in sorted(named.items())) or "nothing to do"


def _tail(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return "\n          ".join(lines[-TAIL:]) or type(error).__name__


def summary(results: Sequence[Result]) -> str:
    """One line, then those that failed or were not begun, by name."""
    counts = Counter(r.status for r in results)
    first = ", ".join(f"{counts[s]} {s}" for s in ("done", "failed", "skipped") if counts[s])
    return "\n".join([first, *(r.line() for r in results if r.status != "done")])


def _log_to(folder: Path) -> Callable[[str], Write]:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    def log(stack: str) -> Write:
        file = folder / f"{stack}.log"
        file.write_text("")

        def write(text: str) -> None:
            with file.open("a") as out:
                out.write(text)

        return write

    return log


def main(arguments: Sequence[str] | None = None, opener: Opener = open_stack) -> int:
    """The command line; returns the exit code."""
    options = _parser().parse_args(arguments)
    require("prepare", "a roll-out")
    try:
        if options.parallel < 1 or options.max_failures < 0:
            raise BadRollout("--parallel must be at least 1, --max-failures at least 0")
        chosen = accounts(options.project / "stacks", options.stacks)
    except BadRollout as error:
        print(error, file=sys.stderr)
        return 2
    for stack, account in chosen.items():
        print(f"{stack}: account {account}", file=sys.stderr)
    plan = Plan(
        options.verb, options.project, options.refresh, options.parallel, options.max_failures
    )
    try:
        results = roll_out(
            chosen,
            plan,
            opener=opener,
            report=lambda result: print(result.line(), file=sys.stderr, flush=True),
            **({"log": _log_to(options.logs)} if options.logs else {}),
        )
    except KeyboardInterrupt:
        print("interrupted: the stacks listed above ended, no other was begun", file=sys.stderr)
        return 130
    print(summary(results))
    return 0 if all(result.status == "done" for result in results) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m stacks.rollout", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("verb", choices=("preview", "up"), help="show the changes, or make them")
    add("stacks", nargs="*", metavar="STACK", help="names of stacks; all with a file if none")
    add("--parallel", type=int, default=PARALLEL, help=f"stacks at a time (default {PARALLEL})")
    add(
        "--max-failures",
        type=int,
        default=0,
        help="begin no further stack after so many failures; 0, the default, means never stop",
    )
    add(
        "--no-refresh",
        dest="refresh",
        action="store_false",
        help="plan from Pulumi's state, without looking at what AWS has now",
    )
    add("--logs", type=Path, help="folder for Pulumi's output, one file per stack")
    add("--project", type=Path, default=Path(), help="folder of Pulumi.yaml (default: this one)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
