"""What the installed `pulumi_aws` says of its types, read from its source without importing it.

Importing every service of the provider takes minutes; its generated files are regular enough to
read. The table is tested against this, and first drafts of new sections are made from it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from policies.bridge.errors import BridgeError
from policies.bridge.table import service

PARAMETER = re.compile(r"^ {17}(\w+): (.*?)(?: = None)?[,)]$")
GETTER = re.compile(r'@pulumi\.getter\(name="(\w+)"\)\n(?:    @.*\n)*    def (\w+)\(')
NESTED = re.compile(r"'([\w.]+)Args'")
DOCUMENT = "PolicyDocument"
"""The argument type that stands for a JSON document given as an object."""


@dataclass(frozen=True)
class Parameter:
    """A property: whether it takes a list, or a map, and the class of its objects, if any."""

    is_list: bool
    map: bool
    objects: str | None

    @property
    def document(self) -> bool:
        """Whether it is a JSON document."""
        return self.objects is not None and self.objects.endswith(DOCUMENT)


def properties(token: str) -> Mapping[str, Parameter]:
    """The input properties of a resource type, by wire name; BridgeError for an unknown token."""
    folder = root() / _folder(token)
    class_name = token.rpartition(":")[2]
    for file in folder.glob("*.py"):
        text = _text(file)
        if f"'{token}'" in text:
            block = _class(text, f"{class_name}InitArgs") or _class(text, f"{class_name}Args")
            return dict(_parameters(block or "", folder.name))
    raise BridgeError(f"pulumi_aws has no {token}")


def inside(objects: str) -> Mapping[str, Parameter]:
    """The properties of a nested object; `objects` as in `Parameter`: `<service>.<class>`."""
    folder, _, name = objects.partition(".")
    block = _inputs(folder).get(f"{name}Args", "")
    return dict(_parameters(block, folder))


def root() -> Path:
    """Where `pulumi_aws` is installed; BridgeError when it isn't."""
    spec = find_spec("pulumi_aws")
    if spec is None or spec.origin is None:
        raise BridgeError("pulumi_aws is not installed: run `make setup`")
    return Path(spec.origin).parent


def _folder(token: str) -> str:
    name = service(token)
    return next(n for n in (name, f"{name}_") if (root() / n).is_dir() or n.endswith("_"))


@cache
def _text(file: Path) -> str:
    return file.read_text(encoding="utf-8")


def _class(text: str, name: str) -> str | None:
    match = re.search(rf"^class {name}:\n(.*?)(?=^\S|\Z)", text, re.MULTILINE | re.DOTALL)
    return match[1] if match else None


@cache
def _inputs(folder: str) -> Mapping[str, str]:
    """The class bodies of a service's `_inputs.py`, by class name."""
    file = root() / folder / "_inputs.py"
    parts = re.split(r"^class (\w+):\n", _text(file) if file.exists() else "", flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def _parameters(block: str, folder: str) -> Iterator[tuple[str, Parameter]]:
    """The parameters of a class's `__init__`, by wire name."""
    wire = {python: name for name, python in GETTER.findall(block)}
    signature = block.partition("def __init__(")[2].partition("):\n")[0] + ")"
    for line in signature.splitlines():
        match = PARAMETER.match(line)
        if match:
            name, annotation = str(match[1]), str(match[2])
            yield wire.get(name, name), _parameter(annotation, folder)


def _parameter(annotation: str, folder: str) -> Parameter:
    flat = re.sub(r"pulumi\.Input|Optional|_builtins\.|[\[\]\s(]", "", annotation)
    nested = NESTED.search(flat)
    return Parameter(
        is_list=flat.startswith("Sequence"),
        map="Mapping" in flat,
        objects=_qualified(nested[1], folder) if nested else None,
    )


def _qualified(name: str, folder: str) -> str:
    """`_iam.PolicyDocument` and `RoleInlinePolicy` with their service before them."""
    module, _, class_name = name.rpartition(".")
    return f"{module.strip('_') or folder}.{class_name}"
