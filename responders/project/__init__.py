"""A Pulumi project that builds on the installed package, for those who have no checkout.

`Pulumi.yaml`, `__main__.py` and the explained example of a stack are the checkout's own: a wheel
carries copies of them (`pyproject.toml`), a checkout reads them where they stand.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from contract import VERSION
from responders.errors import BadInput

FOLDER = Path(__file__).parent
COPIES = FOLDER / "checkout"
"""In a wheel only. It is no package, so that nothing that imports all modules runs the program."""
CHECKOUT = FOLDER.parents[1]
SHARED = ("Pulumi.yaml", "__main__.py", "stacks/Pulumi.example.yaml")
"""Paths in the checkout, among its copies, and in a new project."""
OWN = {
    "requirements.txt": "requirements.txt",
    ".gitignore": "gitignore",
    ".github/workflows/cordon.yml": "workflow.yml",
}
"""Paths in a new project, and the file of this folder that each is written from."""


def create(folder: Path) -> tuple[Path, ...]:
    """Writes a project into `folder`, which may exist; the paths written, in their order.

    BadInput, and nothing is written, when a file of the project is there already or the folder
    can't be written to.
    """
    texts = {folder / path: text for path, text in contents().items()}
    if existing := [str(path) for path in texts if path.exists()]:
        raise BadInput(
            f"{', '.join(existing)} would be overwritten", "Name a new folder, or move them away."
        )
    try:
        for path, text in texts.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInput(
            f"{error.filename or folder} can't be written: {error.strerror}",
            "Name a folder that you can write to.",
        ) from error
    return tuple(texts)


def contents() -> Mapping[str, str]:
    """The text of each file of a new project, by its path in the project."""
    shared = {path: source(path).read_text(encoding="utf-8") for path in SHARED}
    own = {path: (FOLDER / name).read_text(encoding="utf-8") for path, name in OWN.items()}
    own["requirements.txt"] = own["requirements.txt"].replace("{version}", VERSION)
    return {**shared, **own}


def source(path: str) -> Path:
    """Where one of `SHARED` stands: among the copies of a wheel, or in the checkout."""
    return (COPIES if COPIES.exists() else CHECKOUT) / path
