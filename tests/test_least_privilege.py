"""The check of the permissions judges a whole run of the suite, and says so when it does not."""

from __future__ import annotations

import pytest

from tests.least_privilege import Watch

pytest_plugins = ["pytester"]


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """Two files of tests, one of which fails when the environment says so."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")  # a fifth of the time
    pytester.makeini("[pytest]\ntestpaths = tests\n")
    folder = pytester.mkdir("tests")
    (folder / "test_first.py").write_text("def test_a(): pass\ndef test_b(): pass\n")
    (folder / "test_second.py").write_text(
        "import os\ndef test_c(): assert 'BROKEN' not in os.environ\n"
    )
    return pytester


def judged(suite: pytest.Pytester, *options: str) -> tuple[bool, int, set[str]]:
    """Whether a run with these options was judged, its exit code, and why it was not."""
    calls: list[set[str]] = []

    def judge(called: set[str]) -> list[str]:
        calls.append(called)
        return ["declared, and used by no test: ec2:Nothing"]

    watch = Watch(set(), judge)
    result = suite.inline_run("--assert=plain", *options, plugins=[watch])
    return bool(calls), int(result.ret), watch.parts


@pytest.mark.parametrize(
    "options", [(), ("tests",), ("tests/test_first.py", "tests/test_second.py")]
)
def test_whole_run_is_judged_however_it_was_named(
    suite: pytest.Pytester, options: tuple[str, ...]
) -> None:
    assert judged(suite, *options) == (True, 1, set())


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("tests/test_first.py",), "1 of 2 test files were left out"),
        (("--ignore", "tests/test_second.py"), "1 of 2 test files were left out"),
        (("--deselect", "tests/test_first.py::test_a"), "1 tests were deselected"),
        (("-k", "not test_b"), "1 tests were deselected"),
        (
            ("tests/test_second.py", "tests/test_first.py::test_a"),
            "single tests were chosen",
        ),
        (("--collect-only",), "0 of 3 tests ran"),
    ],
)
def test_part_of_the_suite_is_not_judged(
    suite: pytest.Pytester, options: tuple[str, ...], reason: str
) -> None:
    assert judged(suite, *options) == (False, 0, {reason})


def test_failed_run_and_rerun_of_its_failures_are_not_judged(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BROKEN", "yes")
    assert judged(suite) == (False, 1, {"the run did not pass"})
    monkeypatch.delenv("BROKEN")
    was_judged, exit_code, reasons = judged(suite, "--lf")
    assert (was_judged, exit_code) == (False, 0)
    assert reasons


def test_workers_of_xdist_hand_over_what_they_called_and_what_they_left_out() -> None:
    """Two workers that collected all three tests, and one that broke down."""

    class Node:
        def __init__(self, *output: object) -> None:
            self.workeroutput = {"cordon_actions": list(output)} if output else {}

    watch = Watch(set(), lambda called: [])
    watch.pytest_testnodedown(Node(["ec2:A"], [], 3))
    watch.pytest_testnodedown(Node(["ec2:B"], ["1 tests were deselected"], 3))
    assert (watch.called, watch.parts, watch.collected) == (
        {"ec2:A", "ec2:B"},
        {"1 tests were deselected"},
        3,
    )
    watch.pytest_testnodedown(Node())
    assert "a worker broke down" in watch.parts
