"""Where a trust document comes from: a file, or the outputs of the Pulumi stack."""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

from contract import TRUST_DIGEST_EXPORT, TRUST_EXPORT, TrustDocument
from responders.errors import BadInput
from responders.trust.pin import LARGEST

EXPORT = f"`pulumi stack output {TRUST_EXPORT} > trust.json` writes one."
PULUMI_SECONDS = 120
"""How long Pulumi may take to read the outputs: the state may be far away."""


def from_file(path: Path, digest: str = "") -> TrustDocument:
    """The document in a file; BadInput when it is none, or not of the digest that was given."""
    try:
        if path.stat().st_size > LARGEST:
            raise BadInput(f"{path} has more than {LARGEST} bytes: it is no trust document", EXPORT)
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"{path} can't be read: {error}", EXPORT) from error
    return _parsed(text, str(path), digest)


def from_stack(stack: str = "", folder: Path | None = None, digest: str = "") -> TrustDocument:
    """The document that a stack exports, asked of the `pulumi` program on this machine."""
    outputs = _outputs(stack, folder)
    text = outputs.get(TRUST_EXPORT)
    if not isinstance(text, str):
        raise BadInput(
            f"the stack exports no {TRUST_EXPORT}", "Run `pulumi up` with this version of the kit."
        )
    exported = str(outputs.get(TRUST_DIGEST_EXPORT, ""))
    if exported != hashlib.sha256(text.encode()).hexdigest():
        raise BadInput(
            f"the stack's {TRUST_EXPORT} and {TRUST_DIGEST_EXPORT} do not fit together",
            "Run `pulumi up` again; if it stays so, somebody changed the stack's state.",
        )
    return _parsed(text, "the stack's output", digest)


def _parsed(text: str, origin: str, digest: str) -> TrustDocument:
    try:
        document = TrustDocument.from_json(text)
    except ValueError as error:
        raise BadInput(f"{origin} is no trust document: {error}", EXPORT) from error
    if digest and digest.lower() != document.digest:
        raise BadInput(
            f"{origin} has the digest {document.digest}, not the one given",
            f"Compare with `pulumi stack output {TRUST_DIGEST_EXPORT}`, run by who deploys.",
        )
    return document


def _outputs(stack: str, folder: Path | None) -> Mapping[str, object]:
    command = ["pulumi", "stack", "output", "--json", "--non-interactive"]
    if stack:
        command += ["--stack", stack]
    if folder:
        command += ["--cwd", str(folder)]
    try:
        ended = subprocess.run(  # noqa: S603 - no shell, and the words are the user's own
            command, capture_output=True, text=True, timeout=PULUMI_SECONDS, check=False
        )
    except FileNotFoundError as error:
        raise BadInput(
            "there is no `pulumi` on this machine", f"Give a file instead: {EXPORT}"
        ) from error
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BadInput(f"`pulumi stack output` failed: {error}", EXPORT) from error
    if ended.returncode:
        raise BadInput(
            f"`pulumi stack output` failed: {ended.stderr.strip()[-500:]}",
            "Give --stack and --directory, the folder of Pulumi.yaml.",
        )
    try:
        outputs = json.loads(ended.stdout)
    except (ValueError, RecursionError) as error:
        raise BadInput(f"`pulumi stack output` gave no JSON: {error}", EXPORT) from error
    return outputs if isinstance(outputs, dict) else {}
