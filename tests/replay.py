"""Every call of a command in the tests, judged by the role that the permissions become.

Loaded with `pytest -p tests.replay`. Of each call that bears Cordon's user agent it takes the
questions that IAM would ask (`lab.asked`: resources, tags, dependent actions), and asks them of the
statements that `pulumi up` would write, whoever makes the call in the test. So a condition that no
call can meet, or a need that nobody declared, fails the run by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from functools import cache
from typing import Any

import pytest
from moto.utilities.utils import get_partition

from components.iam import merged
from lab.asked import Asker
from lab.gate import door
from lab.gate.call import Call
from lab.gate.wire import Response
from lab.iam_actions import FREE, action_of
from lab.policy import Asked, allowed_by
from responders.permissions import declared

KEY = "cordon_refused"
REFUSED: dict[str, str] = {}
"""What the role would not allow, to the first test that asked for it."""

BEYOND: Mapping[str, str] = {
    "iam:PassRole on *": "a release needs the instance's own role to be passed, by whoever may",
}
"""What the responder role is not meant to be allowed, though a command tries it, and why."""


@cache
def _statements(partition: str, account: str) -> Mapping[str, list[Mapping[str, Any]]]:
    """The role's statements, by action. Vault and key are whatever the tests name so."""
    facts = {
        "partition": partition,
        "account": account,
        "vault": "*",
        "vault_key": f"arn:{partition}:kms:*:{account}:key/*",
        "evidence_account": (),
        "evidence_organization": (),
        "examiner": (account,),
        "trail_key": (f"arn:{partition}:kms:*:*:key/*",),
    }
    by_action: dict[str, list[Mapping[str, Any]]] = {}
    for statement in merged(declared(), facts):
        for action in statement["Action"]:
            by_action.setdefault(action, []).append(statement)
    return by_action


def refusal(call: Call, question: Asked) -> str:
    """What the role refuses, with ids made equal; empty if it allows it."""
    held = _statements(get_partition(call.region), call.account)
    if allowed_by(held.get(question.action, ()), question):
        return ""
    kinds = [one.rsplit("/", 1)[0] if ":ec2:" in one else one for one in question.resources]
    text = f"{question.action} on {' and '.join(kinds) or '*'}"
    return "" if any(fnmatchcase(text, one) for one in BEYOND) else text


def _replay(call: Call, proceed: door.Proceed) -> Response:
    """Judges before the call is made: afterwards, tags are others."""
    if call.model is not None and "cordon/" in call.user_agent:
        if action_of(call.service, call.operation) not in FREE:
            for question in Asker(call).questions():
                if text := refusal(call, question):
                    REFUSED.setdefault(text, TEST[0])
    return proceed()


TEST = [""]
"""The test that runs."""


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Notes which test runs."""
    TEST[0] = item.nodeid


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker hands over what was refused; a run with any of it fails."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[KEY] = dict(REFUSED)
    elif REFUSED and session.exitstatus == 0:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Takes what a worker of pytest-xdist saw."""
    REFUSED.update(getattr(node, "workeroutput", {}).get(KEY, {}))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Shows what the role would refuse."""
    if REFUSED:
        terminalreporter.section("the responder role would refuse")
        for text, test in sorted(REFUSED.items()):
            terminalreporter.line(f"{text} ({test})")


door.add_layer(_replay)  # at import, before any conftest, as tests.least_privilege
