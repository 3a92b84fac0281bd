"""The package as it is installed: what is in the wheel, what it writes, what it says is missing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml
from click.testing import Result
from hatchling.builders.wheel import WheelBuilder
from typer.testing import CliRunner

from responders.cli import app

ROOT = Path(__file__).parents[1]
COMMAND = [sys.executable, "-c", "from responders.cli import main; main()"]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built and unpacked."""
    folder = tmp_path_factory.mktemp("installed")
    [wheel] = WheelBuilder(str(ROOT)).build(directory=str(folder / "dist"), versions=["standard"])
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def run(installed: Path, *arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Python on the unpacked wheel, away from the checkout."""
    env = {**os.environ, "PYTHONPATH": str(installed), "MOTO_EC2_LOAD_DEFAULT_AMIS": "false"}
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
        env=env,
    )


def test_the_wheel_holds_the_rooms_and_nothing_else(installed: Path) -> None:
    top = {path.name for path in installed.iterdir() if not path.name.endswith(".dist-info")}
    rooms = {"components", "contract.py", "lab", "policies", "responders", "stacks"}
    assert top == rooms
    assert not list(installed.rglob("test_*"))


RUN_PROJECT = """
import contract, json, sys
from pathlib import Path
import stacks.build
from lab.account import PROGRAM
from lab.engine.engine import Engine
from lab.inprocess import clients, in_process
from lab.server import credentials_env

with in_process():
    program = Engine(clients(credentials_env()), "eu-west-1").up(
        Path("__main__.py"),
        {"regions": ["eu-west-1"], "responders": ["arn:aws:iam::123456789012:user/alice"]},
    )
print(json.dumps({
    "contract": contract.__file__, "stacks": stacks.build.__file__, "lab program": str(PROGRAM),
    "manifests": program.exports["manifests"], "lab program exists": PROGRAM.exists(),
}))
"""


def test_a_project_written_by_init_runs_on_the_installed_package(
    installed: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "new" / "project"
    wrote = run(installed, *COMMAND[1:], "init", str(folder), folder=tmp_path)
    assert wrote.returncode == 0, wrote.stderr
    for name in ("Pulumi.yaml", "__main__.py", "stacks/Pulumi.example.yaml"):
        assert (folder / name).read_text() == (ROOT / name).read_text(), "one source for both"
    assert sorted(wrote.stdout.splitlines()) == sorted(
        str(path) for path in folder.rglob("*") if path.is_file()
    )
    ran = run(installed, "-c", RUN_PROJECT, folder=folder)
    assert ran.returncode == 0, ran.stderr[-2000:]
    report = yaml.safe_load(ran.stdout)
    for key in ("contract", "stacks", "lab program"):
        assert report[key].startswith(str(installed)), "the installed package, not the checkout"
    assert report["lab program exists"]
    assert report["manifests"] == {"eu-west-1": "/cordon/manifest"}


def init(folder: Path) -> Result:
    """`cordon init` in this process."""
    return CliRunner().invoke(app, ["init", str(folder)])


def test_init_pins_this_version_and_its_job_previews_and_deploys(tmp_path: Path) -> None:
    assert init(tmp_path).exit_code == 0
    requirements = (tmp_path / "requirements.txt").read_text().splitlines()
    assert requirements[-1] == "aws-cordon[prepare]==0.1.0"
    job = yaml.safe_load((tmp_path / ".github/workflows/cordon.yml").read_text())
    commands = {
        name: [step["run"] for step in stage["steps"] if "run" in step]
        for name, stage in job["jobs"].items()
    }
    assert commands["preview"] == [
        "pulumi install",
        'pulumi preview --stack "$STACK" --refresh --diff',
    ]
    assert commands["up"][1].startswith('pulumi up --stack "$STACK" --refresh --yes')
    assert "pull_request" in job["jobs"]["preview"]["if"]
    assert job["jobs"]["up"]["if"] == "github.event_name != 'pull_request'"


@pytest.mark.parametrize("file", ["Pulumi.yaml", "stacks/Pulumi.example.yaml"])
def test_init_overwrites_nothing(tmp_path: Path, file: str) -> None:
    (tmp_path / "stacks").mkdir()
    (tmp_path / file).write_text("mine")
    ran = init(tmp_path)
    assert ran.exit_code == 2
    assert f"{tmp_path / file} would be overwritten" in ran.stderr
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == [tmp_path / file]
    assert (tmp_path / file).read_text() == "mine"


def test_init_into_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ran = init(tmp_path / "file")
    assert ran.exit_code == 2
    assert "can't be written" in ran.stderr


WITHOUT = """
import importlib.metadata as metadata, sys
real = metadata.version
def version(name):
    if name.lower() in ("moto", "pulumi"):
        raise metadata.PackageNotFoundError(name)
    return real(name)
metadata.version = version
sys.modules["moto"] = sys.modules["pulumi"] = None
"""
"""Run by Python at its start: two distributions of the extras can be found no more."""


@pytest.mark.parametrize(
    "arguments",
    [
        [*COMMAND[1:], "lab"],
        [*COMMAND[1:], "lab", "run"],
        [*COMMAND[1:], "lab", "serve"],
        [*COMMAND[1:], "lab", "--help"],
        ["-m", "lab"],
        ["-m", "lab.record", "x.json"],
        ["-m", "stacks.rollout", "preview"],
    ],
    ids=" ".join,
)
def test_without_its_extra_every_entry_says_what_to_install(
    tmp_path: Path, arguments: list[str]
) -> None:
    (tmp_path / "sitecustomize.py").write_text(WITHOUT)
    ran = subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert ran.returncode == 2, ran.stderr
    assert "Traceback" not in ran.stderr
    assert re.match(r"cordon: .+ needs (moto, )?pulumi\n  → Install it: pipx", ran.stderr)
    assert (ran.stdout, list(ROOT.glob("x.json"))) == ("", [])


def pins(file: str) -> dict[str, str]:
    """Package to version of a file of pinned requirements."""
    return dict(re.findall(r"^([a-z0-9-]+)==([^ ;]+)", (ROOT / file).read_text(), re.MULTILINE))


def test_a_plain_pulumi_install_in_a_checkout_has_what_the_program_needs() -> None:
    """`pulumi install` takes `requirements.txt`, into the environment that `Pulumi.yaml` names."""
    assert "-r requirements/prepare.txt" in (ROOT / "requirements.txt").read_text().splitlines()
    prepare, develop = pins("requirements/prepare.txt"), pins("requirements/dev.txt")
    assert {"pulumi", "pulumi-aws", "boto3", "typer", "rich", "platformdirs"} <= prepare.keys()
    assert prepare.items() <= develop.items(), "the same versions as are tested"
    runtime = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["runtime"]
    assert runtime == {"name": "python", "options": {"virtualenv": ".venv"}}
