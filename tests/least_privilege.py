"""What the responders called while the whole suite ran, against what they declare.

Loaded by pytest's options. Every call that reached the account with Cordon's user agent counts,
whatever became of it. The verdict is given only for a whole run that passed, for a part of the
suite calls a part; then a line says that nothing was judged, and why.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
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
    "glue:GetDatabase": "Athena reads the table's definition with the caller's rights",
    "glue:GetTable": "Athena reads the table's definition with the caller's rights",
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


class Watch:
    """Follows one run of pytest to its end, and gives the verdict if it was a whole one.

    Under pytest-xdist the workers collect and call; the controller counts what ran, and judges.
    """

    def __init__(
        self, called: set[str] = CALLED, judge: Callable[[set[str]], list[str]] = verdict
    ) -> None:
        self.called, self.judge = called, judge
        self.parts: set[str] = set()
        """Reasons why this is a part of the suite."""
        self.collected = self.ran = self.deselected = 0
        self.faults: list[str] = []

    def pytest_deselected(self, items: Sequence[pytest.Item]) -> None:
        """Counts what -k, -m, --deselect, --lf and the like leave out."""
        self.deselected += len(items)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Compares the files that are collected with all there are, whatever the options said."""
        if session.config.pluginmanager.hasplugin("dsession"):
            return  # the controller collects nothing itself
        self.collected = len(session.items)
        files = test_files(session.config)
        if missing := files - {item.path for item in session.items}:
            self.parts.add(f"{len(missing)} of {len(files)} test files were left out")
        if self.deselected:
            self.parts.add(f"{self.deselected} tests were deselected")
        if any("::" in argument for argument in session.config.args):
            self.parts.add("single tests were chosen")

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Counts the tests that ran to their end."""
        self.ran += report.when == "teardown"

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """A worker hands over what it saw; else a whole run that passed is judged."""
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output[KEY] = [sorted(self.called), sorted(self.parts), self.collected]
            return
        if self.ran != self.collected:
            self.parts.add(f"{self.ran} of {self.collected} tests ran")
        if session.exitstatus:
            self.parts.add("the run did not pass")
        self.faults = [] if self.parts else self.judge(self.called)
        if self.faults:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Takes what a worker of pytest-xdist saw; a worker that broke down saw nothing."""
        called, parts, collected = getattr(node, "workeroutput", {}).get(
            KEY, ([], ["a worker broke down"], self.collected)
        )
        self.called.update(called)
        self.parts.update(parts)
        self.collected = collected  # every worker collects all, and runs its share

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Shows the verdict, or why there is none."""
        if self.parts:
            terminalreporter.line(f"least privilege not judged: {', '.join(sorted(self.parts))}")
        if self.faults:
            terminalreporter.section("least privilege")
            for line in self.faults:
                terminalreporter.line(line)


def test_files(config: pytest.Config) -> set[Path]:
    """Every file of tests that the whole suite has."""
    folders = [config.rootpath / name for name in config.getini("testpaths")]
    return {path for folder in folders for path in folder.rglob("test_*.py")}


def pytest_configure(config: pytest.Config) -> None:
    """Watches this run."""
    config.pluginmanager.register(Watch(), "least-privilege")
