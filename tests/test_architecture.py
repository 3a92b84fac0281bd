"""Who may import whom. The layout is a promise; this keeps it."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ROOMS = ("contract", "components", "stacks", "responders", "policies", "lab")
MAY_IMPORT = {
    "contract": set(),
    "components": {"contract"},
    "stacks": {"contract", "components", "responders"},
    "responders": {"contract"},
    "policies": {"contract"},
    "lab": {"contract", "components", "stacks", "responders", "policies"},
}
CLOUD = {"boto3", "botocore", "pulumi", "pulumi_aws", "moto"}


def modules(room: str) -> list[Path]:
    folder = ROOT / room
    return sorted(folder.rglob("*.py")) if folder.is_dir() else [ROOT / f"{room}.py"]


def imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield node.module


def at_import(tree: ast.Module) -> Iterator[ast.stmt]:
    """Statements that run when the module is imported, `if TYPE_CHECKING` left out."""
    for node in tree.body:
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if not isinstance(node, ast.FunctionDef | ast.ClassDef):
            yield node


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_import_only_what_they_may(room: str) -> None:
    files = modules(room)
    assert files
    for path in files:
        for name in imports(ast.parse(path.read_text())):
            top = name.split(".")[0]
            if top in ROOMS and top != room:
                assert top in MAY_IMPORT[room], f"{path} imports {name}"
            if room == "stacks" and top == "responders":
                assert name == "responders.permissions", f"{path} imports {name}"


def test_responders_never_import_pulumi() -> None:
    for path in modules("responders"):
        tops = {name.split(".")[0] for name in imports(ast.parse(path.read_text()))}
        assert not tops & {"pulumi", "pulumi_aws", "moto"}, path


def test_no_cloud_client_at_import() -> None:
    for path in modules("responders"):
        for node in at_import(ast.parse(path.read_text())):
            tops = {name.split(".")[0] for name in imports(node)}
            assert not tops & CLOUD, f"{path}:{node.lineno}"


def test_the_command_line_starts_without_a_cloud_library() -> None:
    code = (
        "import sys, responders.cli, responders.permissions as p; p.declared();"
        f"print(sorted(set(sys.modules) & {CLOUD!r}))"
    )
    said = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert said.stdout.strip() == "[]"


@pytest.mark.parametrize("room", ["contract"])
def test_what_everything_imports_is_standard_library_only(room: str) -> None:
    for name in imports(ast.parse((ROOT / f"{room}.py").read_text())):
        assert name.split(".")[0] in sys.stdlib_module_names


def test_nothing_is_committed_that_names_a_registry_or_this_machine() -> None:
    listed = subprocess.run(
        ["git", "ls-files"], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout.split()
    hosts = ("pypi" + ".org", "pythonhosted" + ".org", "index-" + "url=", "registry.npm" + "js")
    for name in listed:
        path = ROOT / name
        if path.is_file():
            text = path.read_text(errors="replace")
            for host in hosts:
                assert host not in text, f"{name} names {host}"
            assert str(ROOT) + "/" not in text, f"{name} holds a path of this machine"
