"""Every line of the threat model points to a test that there is."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_every_line_names_a_test() -> None:
    rows = [
        line
        for line in (ROOT / "docs/threat-model.md").read_text().splitlines()
        if line.startswith("| ") and "held by" not in line
    ]
    assert len(rows) > 10
    for row in rows:
        [(path, names)] = re.findall(r"`(tests/[\w/]+\.py)::([\w:]+)`", row)
        defined = {
            node.name
            for node in ast.walk(ast.parse((ROOT / path).read_text()))
            if isinstance(node, ast.FunctionDef | ast.ClassDef)
        }
        assert set(names.split("::")) <= defined, row
