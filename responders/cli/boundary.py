"""The one place that catches: every error becomes a message, advice and an exit code."""

from __future__ import annotations

import functools
import inspect
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

from responders.cli import options, show
from responders.errors import CordonError
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
        sys.exit(_outcome(lambda: command(**given, common=options.common(**common)), common))

    del run.__wrapped__
    listed = [p for p in own.parameters.values() if p.name != "common"]
    listed += [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in shared.values()]
    run.__signature__ = inspect.Signature(listed)  # type: ignore[attr-defined]
    run.__annotations__ = {p.name: p.annotation for p in listed}
    return run


def _outcome(command: Callable[[], int], common: Mapping[str, Any]) -> int:
    as_json = bool(common["as_json"])
    try:
        return command()
    except CordonError as error:
        return _say(error.message, error.advice, error.exit_code, as_json)
    except KeyboardInterrupt:
        return _say(
            "interrupted", "`cordon resume` goes on where it stopped.", INTERRUPTED, as_json
        )
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return NOT_CONTAINED
    except Exception as error:
        if type(error).__module__.startswith("botocore"):
            return _say_aws(error, as_json)
        log = _log()
        return _say(
            f"unexpected: {type(error).__name__}: {error}",
            f"The details are in {log}. What was done before is in the journal: "
            "`cordon case list`.",
            UNEXPECTED,
            as_json,
        )


def _say_aws(error: Exception, as_json: bool) -> int:
    from responders.aws import explain

    name = type(error).__name__
    if name in ("NoCredentialsError", "PartialCredentialsError", "ProfileNotFound"):
        return _say(
            f"no usable AWS credentials: {error}",
            "Set AWS_PROFILE or give --profile, and try `aws sts get-caller-identity`.",
            2,
            as_json,
        )
    return _say(explain(error), "Nothing was contained.", NOT_CONTAINED, as_json)


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
