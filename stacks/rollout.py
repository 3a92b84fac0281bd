"""Deploys many stacks, one per account, a few at a time, and says which failed.

    python -m stacks.rollout preview             every stacks/Pulumi.<stack>.yaml
    python -m stacks.rollout up payments web     only these
    python -m stacks.rollout up --parallel 8 --max-failures 3 --logs rollout-logs

One account's failure stops no other. Exit code: 0 all done, 1 some failed or were not begun,
2 bad input and nothing begun, 130 interrupted.
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
from typing import Any, Protocol

import yaml
from pulumi import automation

PROJECT = Path(__file__).parents[1]
EXAMPLE = "example"
PARALLEL = 4
"""Stacks at a time. Each takes a Pulumi process and a provider: a core and about half a GB."""
TAIL = 12
"""Lines of Pulumi's output that the report keeps of a failure."""


class BadRollout(ValueError):
    """A roll-out that must not begin. The message says what to do."""


@dataclass(frozen=True)
class Result:
    """What became of one stack: `done`, `failed` or `skipped`, and after how many seconds."""

    stack: str
    status: str
    detail: str
    seconds: float = 0.0

    def line(self) -> str:
        """For people."""
        return f"{self.status:8}{self.stack}  {self.seconds:.0f} s  {self.detail}"


class Deployable(Protocol):
    """A stack as Pulumi's Automation API has it: the part that is used here."""

    def preview(self, *, on_output: Callable[[str], Any], color: str) -> Any: ...

    def up(self, *, on_output: Callable[[str], Any], color: str, show_secrets: bool) -> Any: ...


Factory = Callable[[str], Deployable]
Write = Callable[[str], Any]


def open_stack(name: str) -> Deployable:
    """The project's stack of this name; made if the backend does not know it yet."""
    stack: Deployable = automation.create_or_select_stack(name, work_dir=str(PROJECT))
    return stack


def accounts(folder: Path, names: Sequence[str] = ()) -> dict[str, str]:
    """Stack to account, of the named files or all. BadRollout unless each has one guarded account.

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
    config = (yaml.safe_load(file.read_text()) or {}).get("config") or {}
    allowed = config.get("aws:allowedAccountIds")
    if not isinstance(allowed, list) or len(allowed) != 1:
        raise BadRollout(
            f'{file.name} must set aws:allowedAccountIds to its one account, like ["111122223333"]'
        )
    return str(allowed[0])


def roll_out(
    stacks: Iterable[str],
    verb: str,
    *,
    factory: Factory = open_stack,
    parallel: int = PARALLEL,
    max_failures: int = 0,
    tell: Callable[[Result], Any] = lambda result: None,
    log: Callable[[str], Write] = lambda stack: lambda text: None,
) -> tuple[Result, ...]:
    """`preview` or `up` of each stack, at most `parallel` at once; results in the stacks' order.

    After `max_failures` (0: never) no further stack is begun. `log` gives, per stack, what takes
    Pulumi's output. An interrupt begins no further stack and waits for those that run.
    """
    stop, failures = threading.Event(), threading.Semaphore(max(max_failures - 1, 0))

    def one(stack: str) -> Result:
        if stop.is_set():
            result = Result(stack, "skipped", "not begun")
        else:
            result = _deploy(stack, verb, factory, log(stack))
        if result.status == "failed" and max_failures and not failures.acquire(blocking=False):
            stop.set()
        tell(result)
        return result

    with ThreadPoolExecutor(parallel, thread_name_prefix="rollout") as pool:
        waiting = [pool.submit(one, stack) for stack in stacks]
        try:
            return tuple(w.result() for w in waiting)
        except BaseException:
            stop.set()
            raise


def _deploy(stack: str, verb: str, factory: Factory, write: Write) -> Result:
    begun = time.monotonic()
    try:
        opened = factory(stack)
        if verb == "up":
            answer = opened.up(on_output=write, color="never", show_secrets=False)
            changes = answer.summary.resource_changes
        else:
            changes = opened.preview(on_output=write, color="never").change_summary
    except Exception as error:
        # Whatever kind it is, it is this stack's own: the report says so, and the others go on.
        write(f"{error}\n")
        return Result(stack, "failed", _tail(error), time.monotonic() - begun)
    return Result(stack, "done", _counted(changes), time.monotonic() - begun)


def _counted(changes: Mapping[Any, int] | None) -> str:
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


def main(arguments: Sequence[str] | None = None, factory: Factory = open_stack) -> int:
    """The command line; returns the exit code."""
    told = _parser().parse_args(arguments)
    try:
        if told.parallel < 1 or told.max_failures < 0:
            raise BadRollout("--parallel must be at least 1, --max-failures at least 0")
        chosen = accounts(told.folder, told.stacks)
    except BadRollout as error:
        print(error, file=sys.stderr)
        return 2
    for stack, account in chosen.items():
        print(f"{stack}: account {account}", file=sys.stderr)
    try:
        results = roll_out(
            chosen,
            told.verb,
            factory=factory,
            parallel=told.parallel,
            max_failures=told.max_failures,
            tell=lambda result: print(result.line(), file=sys.stderr, flush=True),
            **({"log": _log_to(told.logs)} if told.logs else {}),
        )
    except KeyboardInterrupt:
        print("interrupted: what is above ended, the rest was not begun", file=sys.stderr)
        return 130
    print(summary(results))
    return 0 if all(r.status == "done" for r in results) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m stacks.rollout", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("verb", choices=("preview", "up"))
    parser.add_argument("stacks", nargs="*", metavar="STACK", help="all that have a file if none")
    parser.add_argument("--parallel", type=int, default=PARALLEL, help="stacks at a time")
    parser.add_argument("--max-failures", type=int, default=0, help="then begin no more; 0: never")
    parser.add_argument("--logs", type=Path, help="folder for Pulumi's output, a file per stack")
    parser.add_argument("--folder", type=Path, default=PROJECT / "stacks", help=argparse.SUPPRESS)
    return parser


if __name__ == "__main__":
    sys.exit(main())
