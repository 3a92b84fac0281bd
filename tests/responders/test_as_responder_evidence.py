"""Evidence under the prepared responder role: snapshots, memory, tools and the workstation.

What `test_as_responder` does for containment: each call is judged by the role's own policies, with
conditions, in an account that the Pulumi program prepared.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from lab.authorization import Authorization
from lab.mends.managed_instances import set_agent
from responders.host import run_command
from tests.responders.conftest import Cordon
from tests.responders.evidence import ACCOUNT
from tests.responders.prepared_account import (
    REGION,
    Prepared,
    enforced,
    prepared,
)

__all__ = ["enforced", "prepared"]


def test_evidence_is_taken_and_looked_into(
    prepared: Prepared,
    enforced: Authorization,
    cordon: Cordon,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(run_command, "EVERY", 0.01)
    set_agent(ACCOUNT, REGION, prepared.instance)
    tool = tmp_path / "avml-x86_64"
    tool.write_bytes(b"avml")
    image = prepared.client("ec2").register_image(
        Name="forensics", RootDeviceName="/dev/sda1", Architecture="x86_64"
    )["ImageId"]
    case = ("--case", "IR-7", *prepared.options)

    staged = cordon("tools", "stage", str(tool), "--region", REGION, *prepared.options)
    assert staged.document["outcome"] == "staged", staged.out
    words = ("--region", REGION, "--dwell", "0", "--evidence-first", "--deadline", "60")
    answer = cordon("instance", prepared.instance, *words, *case)
    assert enforced.refused == [], answer.out
    for name in ("memory", "volatile", "snapshot", "lock-snapshots", "copy-snapshots"):
        assert answer.step(name)["status"] == "done", answer.out
    followed = cordon("snapshots", *case)
    assert (followed.code, enforced.refused) == (0, []), followed.out
    opened = cordon("workstation", "open", "--image", image, *case)
    assert (opened.document["outcome"], enforced.refused) == ("open", []), opened.out
    closed = cordon("workstation", "close", *case)
    assert (closed.document["outcome"], enforced.refused) == ("closed", []), closed.out
