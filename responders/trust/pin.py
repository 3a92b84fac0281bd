"""The trust documents that this machine keeps: one file an account, in the configuration folder.

A document that somebody else could have written is worth nothing, so a file that is a link, of
another owner or open to others' writing is refused, as one that does not read is.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

from contract import TrustDocument
from responders.errors import BadInput, CordonError
from responders.record.files import private_folder, write_durably

LARGEST = 8 << 20
"""Bytes of a document that are read: some thousand VPCs take one megabyte."""


class PinDamaged(CordonError):
    """A trust document is kept for this account, and can't be used as it is."""

    exit_code = 2


def folder() -> Path:
    """`CORDON_CONFIG`, or `config` in `CORDON_HOME`, or the platform's configuration folder."""
    import platformdirs

    if named := os.environ.get("CORDON_CONFIG"):
        return Path(named)
    if home := os.environ.get("CORDON_HOME"):
        return Path(home) / "config"
    return platformdirs.user_config_path("cordon")


def file_of(account: str) -> Path:
    """Where the document of an account is kept; BadInput for what is no account id."""
    if not re.fullmatch(r"\d{12}", account):
        raise BadInput(f"{account!r} is not an account id", "Give its 12 digits.")
    return folder() / "trust" / f"{account}.json"


def accounts() -> tuple[str, ...]:
    """The accounts for which a document is kept, sorted."""
    kept = folder() / "trust"
    return tuple(sorted(p.stem for p in kept.glob("*.json"))) if kept.is_dir() else ()


def read(account: str) -> TrustDocument | None:
    """The document kept for an account; None where there is none; `PinDamaged` if it is unfit."""
    path = file_of(account)
    try:
        text = _text(path)
        document = TrustDocument.from_json(text)
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise PinDamaged(
            f"the trust document {path} can't be used: {error}",
            "Import it again: `cordon trust import --replace`.",
        ) from error
    if document.account != account:
        raise PinDamaged(
            f"the trust document {path} is of account {document.account}",
            "Import it again: `cordon trust import --replace`.",
        )
    return document


def keep(document: TrustDocument, *, replace: bool = False) -> bool:
    """Keeps a document; False when the very same is kept already.

    BadInput when another one is kept and `replace` is not given, or when the disk refuses.
    """
    path = file_of(document.account)
    try:
        before = read(document.account)
    except PinDamaged:
        if not replace:
            raise
        before = None
    if before == document:
        return False
    if before is not None and not replace:
        raise BadInput(
            f"another trust document is kept for account {document.account}: its digest is "
            f"{before.digest}, and that of the new one {document.digest}",
            "If `pulumi up` was run since, give --replace; else ask where the new one is from.",
        )
    try:
        private_folder(path.parent)
        fresh = path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        write_durably(fresh, document.to_json().encode())
        # Not unlinked before: dying here would leave the account unpinned, and nobody the wiser.
        os.replace(fresh, path)
    except OSError as error:
        raise BadInput(
            f"the trust document can't be kept in {path}: {error.strerror or error}",
            "Make the folder writable for you, or set CORDON_CONFIG to another one.",
        ) from error
    return True


def _text(path: Path) -> str:
    """The file's text; ValueError when others than this user can write it."""
    for kept in (path.parent, path):
        status = kept.lstat()
        if stat.S_ISLNK(status.st_mode):
            raise ValueError(f"{kept} is a link")
        if status.st_uid not in (os.getuid(), 0):
            raise ValueError(f"{kept} belongs to another user")
        if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            raise ValueError(f"others than you can write {kept}: chmod go-w")
    if status.st_size > LARGEST:
        raise ValueError(f"it has more than {LARGEST} bytes")
    return path.read_text("utf-8")
