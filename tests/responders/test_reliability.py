"""Every rule of the reliability page names tests that there are; its figures can be written."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from benchmarks import reliability

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/reliability.md"


def defined(tree: ast.Module | ast.ClassDef) -> dict[str, ast.stmt]:
    return {
        node.name: node for node in tree.body if isinstance(node, ast.FunctionDef | ast.ClassDef)
    }


def test_every_rule_names_tests() -> None:
    rows = [row for row in PAGE.read_text().splitlines() if row.startswith("| ")][1:]
    rules = [row for row in rows if "tests/" in row]
    assert len(rules) >= 9
    for rule in rules:
        named = reliability.TEST.findall(rule)
        assert named, rule
        for test in named:
            path, *names = test.split("::")
            inside: ast.Module | ast.ClassDef = ast.parse((ROOT / path).read_text())
            for name in names:
                found = defined(inside).get(name)
                assert found is not None, test
                assert name.startswith(("test_", "Test")), test
                inside = found if isinstance(found, ast.ClassDef) else inside


def test_figures_are_written_only_when_all_tests_passed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE.read_text())
    for code in (1, 0):
        monkeypatch.setattr(reliability.pytest, "main", lambda _words, plugins, code=code: code)
        assert reliability.main(page) == code
        assert ("runs begun | 0" in page.read_text()) == (code == 0)
    counts = {"begin": 5, "resume": 1, "end": 3, "interrupted": 1}
    assert "before their end was written | 2 |" in reliability.figures(counts, "2026-01-31")
