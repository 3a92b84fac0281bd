"""The stubs cover what is called: mypy checks no call of a service that it does not know."""

from __future__ import annotations

import ast
import re
from pathlib import Path

RESPONDERS = Path(__file__).parents[2] / "responders"


def services_called() -> set[str]:
    """Every service that a module of responders names in a call of a `client`."""
    return {
        node.args[0].value
        for path in RESPONDERS.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "client"
        and node.args
        and isinstance(node.args[0], ast.Constant)
        and isinstance(node.args[0].value, str)
    }


def services_typed() -> set[str]:
    """The services of which `Clients` says which client belongs to them."""
    return set(
        re.findall(r'service: Literal\["([a-z0-9-]+)"\]', (RESPONDERS / "clients.py").read_text())
    )


def test_every_service_called_has_its_own_client_type() -> None:
    assert services_called()
    assert services_called() <= services_typed()
