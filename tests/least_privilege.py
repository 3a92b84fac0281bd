"""What the responders called while the whole suite ran, against what they declare.

Loaded by pytest's options. Every call that reached the account with Cordon's user agent counts,
whatever became of it. The verdict is given only for a whole run: a part of the suite calls a part.
"""

from __future__ import annotations

from typing import Any

import pytest

from lab.gate import door
from lab.gate.call import Call
from lab.gate.wire import Response
from lab.iam_actions import FREE, action_of
from responders.permissions import declared

CALLED: set[str] = set()
KEY = "cordon_actions"

IMPLICIT = {
    "cloudformation:ListStacks": "a list of stacks without a name needs it too",
    "ec2:DescribeSubnets": "EC2 looks at the subnets of a new endpoint",
    "iam:PassRole": "passed with an instance profile",
    "iam:TagPolicy": "a deny policy is tagged as it is created",
    "kms:CreateGrant": "EC2 copies snapshots and makes volumes under the key",
    "kms:Decrypt": "S3 and EC2 read under the key",
    "kms:DescribeKey": "EC2 looks at the key of a copy or a volume",
    "kms:GenerateDataKey": "S3 writes under the key",
    "kms:GenerateDataKeyWithoutPlaintext": "EC2 writes under the key",
    "kms:ReEncryptFrom": "EC2 copies a snapshot from one key to another",
    "kms:ReEncryptTo": "EC2 copies a snapshot from one key to another",
    "route53:AssociateVPCWithHostedZone": "EC2 joins a new endpoint's VPC to its zone",
}
"""Actions that no call of ours names, needed by what AWS does on our behalf."""


def _note(call: Call, proceed: door.Proceed) -> Response:
    if "cordon/" in call.user_agent:
        CALLED.add(action_of(call.service, call.operation))
    return proceed()


door.add_layer(_note)  # at import, before any conftest: the first layer sees mended calls too


def verdict(called: set[str]) -> list[str]:
    """What is called and not declared, and what is declared and never called."""
    allowed = {action for permission in declared() for action in permission.actions}
    undeclared = sorted(called - allowed - FREE)
    unused = sorted(allowed - called - set(IMPLICIT) - FREE)
    return [f"called, and in no action's permissions: {a}" for a in undeclared] + [
        f"declared, and used by no test: {a}" for a in unused
    ]


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker hands over what it saw; the controller judges a whole run that passed."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[KEY] = sorted(CALLED)
    elif _is_whole(session) and session.exitstatus == 0 and (faults := verdict(CALLED)):
        session.config.stash[FAULTS] = faults
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


FAULTS = pytest.StashKey[list[str]]()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Takes what a worker of pytest-xdist saw."""
    CALLED.update(getattr(node, "workeroutput", {}).get(KEY, ()))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Shows the verdict."""
    faults = config.stash.get(FAULTS, [])
    if faults:
        terminalreporter.section("least privilege")
        for line in faults:
            terminalreporter.line(line)


def _is_whole(session: pytest.Session) -> bool:
    option = session.config.option
    whole = not option.keyword and not option.markexpr and not option.file_or_dir
    return bool(whole and CALLED)
