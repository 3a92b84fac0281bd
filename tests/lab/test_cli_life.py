"""The life that `make pulumi-lab` leads on Pulumi's own engine, here led on the lab's."""

from __future__ import annotations

import shutil
from collections.abc import Mapping

import pytest

from lab import cli_life
from lab.account import PROGRAM
from lab.engine.engine import Engine
from tests.conftest import AwsLab


class LabDeployment:
    """The lab's engine, counting as the CLI does."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.config = dict(cli_life.CONFIG)

    def preview(self) -> Mapping[str, int]:
        self.engine.preview(PROGRAM, self.config)
        return self._counts()

    def up(self, *, refresh: bool = False) -> Mapping[str, int]:
        if refresh:
            self.engine.refresh()
        self.engine.up(PROGRAM, self.config)
        return self._counts()

    def refresh(self) -> Mapping[str, int]:
        self.engine.refresh()
        return {}

    def destroy(self) -> Mapping[str, int]:
        self.engine.destroy(exclude_protected=True)
        return self._counts()

    def _counts(self) -> Mapping[str, int]:
        changes = self.engine.changes
        counts = {
            "create": len(changes.created),
            "update": len(changes.updated),
            "delete": len(changes.deleted),
        }
        return counts if changes else {"same": len(self.engine.names)}


def test_every_claim_holds_on_the_lab_s_engine(aws_lab: AwsLab) -> None:
    deployment = LabDeployment(Engine(aws_lab.client, cli_life.REGION))
    claims = list(cli_life.live(deployment, aws_lab.client))
    assert len(claims) > 10
    assert [claim.text for claim in claims if not claim.holds] == []


@pytest.mark.parametrize(("arguments", "code"), [([], 0), (["--require"], 2)])
def test_without_a_cli_it_is_skipped_loudly(
    arguments: list[str],
    code: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("PATH", "")
    assert cli_life.main(arguments) == code
    assert capsys.readouterr().err.startswith("SKIPPED: there is no `pulumi` on PATH")


@pytest.mark.skipif(shutil.which("pulumi") is None, reason="no pulumi CLI: run `make pulumi-lab`")
@pytest.mark.timeout(900)
def test_every_claim_holds_on_pulumi_s_own_engine(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli_life.main([]) == 0, capsys.readouterr().err[-4000:]
