"""The one place that catches: every error becomes a message, advice and an exit code."""

from __future__ import annotations

import functools
import inspect
import json
import signal
import sys
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

from responders.cli import options, show
from responders.cli.streams import unbroken
from responders.cli.waits import telling_waits
from responders.errors import BadInput, CordonError, NotContained
from responders.outcome import INTERRUPTED, NOT_CONTAINED, SCHEMA, UNEXPECTED


def boundary(command: Callable[..., int]) -> Callable[..., None]:
    """Makes a command of a function that takes its options and `common` and gives an exit code.

    Adds the options that all commands share. Nothing that the function raises gets past.
    """
    own = inspect.signature(command, eval_str=True)
    shared = inspect.signature(options.common, eval_str=True).parameters

    @functools.wraps(command)
    def run(**given: Any) -> None:
        _heed_signals()
        common = {name: given.pop(name) for name in shared}
        with unbroken(), telling_waits():
            code = _outcome(command, given, common)
        sys.exit(code)

    del run.__wrapped__
    listed = [p for p in own.parameters.values() if p.name != "common"]
    listed += [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in shared.values()]
    run.__signature__ = inspect.Signature(listed)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in listed}
    return run


def _outcome(
    command: Callable[..., int], given: Mapping[str, Any], common: Mapping[str, Any]
) -> int:
    as_json = bool(common["as_json"])
    try:
        return command(**given, common=options.common(**common))
    except CordonError as error:
        if isinstance(error, NotContained) and (bad := _unknown_region(given)):
            error = bad
        return _say(error.message, error.advice, error.exit_code, as_json)
    except KeyboardInterrupt:
        return _say("interrupted", _how_to_go_on(given.get("case")), INTERRUPTED, as_json)
    except Exception as error:
        if _is_of_aws(error):
            if bad := _unknown_region(given):
                return _say(bad.message, bad.advice, bad.exit_code, as_json)
            return _say_aws(error, command, common)
        log = _log()
        return _say(
            f"unexpected: {type(error).__name__}: {error}",
            f"The details are in {log}. What was done before is in the journal: "
            "`cordon case list`.",
            UNEXPECTED,
            as_json,
        )


def _unknown_region(options_of_command: Mapping[str, Any]) -> BadInput | None:
    """What to tell when a command came to nothing in a region that botocore does not know.

    Asked only after a failure: a region that is newer than this botocore works all the same.
    """
    region = options_of_command.get("region")
    if not isinstance(region, str) or not region:
        return None
    from responders import session

    return None if session.is_known(region) else session.not_a_region(region)


def _how_to_go_on(case: str | None) -> str:
    """Advice after an interrupt; `resume` is named only where it has something to do."""
    from responders.record.case import Case
    from responders.record.run import unfinished

    try:
        if case and unfinished(Case(case).runs()):
            return f"`cordon resume --case {case}` goes on where it stopped."
    except (CordonError, OSError):  # no case id, or no record that can be read
        pass
    return "There is nothing to resume: run the command again."


MEANING = {
    "instance": "Nothing was contained.",
    "key": "Nothing was contained.",
    "user": "Nothing was contained.",
    "role": "Nothing was contained.",
    "release": "Nothing was released: what was contained still is.",
    "resume": "Nothing more was done; what was done before is in force: `cordon case show`.",
    "hunt": "The hunt was not begun: that it shows nothing means nothing.",
    "ready": "The check was not finished: the account counts as not ready.",
    "drill": "The drill was not finished: the account counts as not ready.",
    "snapshots": "What snapshots there are is unchanged; run it again.",
}
"""What a failure of AWS outside of any step means, by command."""


def _is_of_aws(error: Exception) -> bool:
    own = ("NotFromAws", "Silent", "SomeFailed")
    module, name = type(error).__module__, type(error).__name__
    return module.startswith("botocore") or (module.startswith("responders") and name in own)


def _say_aws(error: Exception, command: Callable[..., int], common: Mapping[str, Any]) -> int:
    from responders import session
    from responders.aws import explain

    as_json = bool(common["as_json"])
    if bad := session.trouble(error, common.get("profile")):
        return _say(bad.message, bad.advice, bad.exit_code, as_json)
    meaning = MEANING.get(command.__name__, "It was not done; what was in force still is.")
    return _say(explain(error), meaning, NOT_CONTAINED, as_json)


def _say(message: str, advice: str, code: int, as_json: bool) -> int:
    show.error(message, advice)
    if as_json:
        document = {
            "schema": SCHEMA,
            "outcome": "error",
            "exit_code": code,
            "error": message,
            "advice": advice,
        }
        print(json.dumps(document, indent=2))
    return code


def _heed_signals() -> None:
    """To be terminated, or to lose the terminal, is to be interrupted: a network that is open for
    the dwell must be closed first. `nohup` stays in force."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _interrupt)


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _log() -> Path | str:
    """Appends the traceback to the log file; tells where, or why it could not."""
    from responders.record.case import home
    from responders.record.files import private_folder

    path = home() / "cordon.log"
    try:
        private_folder(home())
        path.touch(mode=0o600)
        with path.open("a") as file:
            file.write(f"--- {datetime.now(UTC).isoformat()}\n{traceback.format_exc()}\n")
    except OSError as error:
        return f"no log file ({path}: {error.strerror}); run again with CORDON_HOME elsewhere"
    return path
