"""`python -m lab.cli_life`: the program's whole life on Pulumi's own engine, in the lab.

Previews, deploys, deploys again, repairs, loses a VPC, refreshes and destroys with the `pulumi` CLI
(through the Automation API, with a state in a temporary folder) against a served account and the
lab's stand-in for the AWS plugin, and checks each step through AWS's API. Where no CLI is
installed it says so and is content; `--require` makes that an error.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from contract import IAM_PATH, TAG_KIT
from lab.story import Claim

if TYPE_CHECKING:
    from pulumi import automation

REGION = "us-east-1"
STACK = "lab"
CONFIG: Mapping[str, object] = {
    "aws:region": REGION,
    "cordon:stacks": ["account", "forensics"],
    "cordon:regions": [REGION],
    "cordon:responders": ["arn:aws:iam::123456789012:user/alice"],
}
CHECKOUT = Path(__file__).parents[1]
OPEN_TO_ALL = {
    "IpProtocol": "tcp",
    "FromPort": 22,
    "ToPort": 22,
    "IpRanges": [{"CidrIp": "0.0.0.0/0"}],
}
Counts = Mapping[str, int]
"""How many resources per operation: `create`, `update`, `delete`, `replace`, `same`."""
Client = Callable[[str], Any]
"""A boto3 client of a service, in the region."""


class Deployment(Protocol):
    """A stack, as the Pulumi CLI has it."""

    def preview(self) -> Counts: ...
    def up(self, *, refresh: bool = False) -> Counts: ...
    def refresh(self) -> Counts: ...
    def destroy(self) -> Counts: ...


def live(deployment: Deployment, client: Client) -> Iterator[Claim]:
    """Leads the stack through its life; after each step, what AWS or Pulumi says of it."""
    ec2 = client("ec2")
    first, second = (_new_vpc(ec2, cidr) for cidr in ("10.7.0.0/16", "10.8.0.0/16"))
    planned = deployment.preview()
    yield Claim("a preview plans creations only", _only(planned, "create"))
    yield Claim("and creates nothing", not _groups(ec2, first))
    created = deployment.up()
    yield Claim("up creates what was planned", created.get("create") == planned.get("create"))
    yield Claim("each VPC has its two groups", len(_groups(ec2, first)) == 2)
    yield Claim("up again changes nothing", _only(deployment.up(), "same"))
    yield Claim("nor after a refresh", _only(deployment.up(refresh=True), "same"))
    group = _groups(ec2, first)["cordon-isolate"]
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[OPEN_TO_ALL])
    repaired = deployment.up(refresh=True)
    [described] = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    yield Claim("a rule that somebody added is taken away", not described["IpPermissions"])
    yield Claim("by one update", repaired.get("update") == 1)
    _delete_vpc(ec2, first)
    yield Claim("a VPC that is gone stops no up", deployment.up().get("delete") == 2)
    _delete_vpc(ec2, second)
    deployment.refresh()
    yield Claim("a refresh forgets another one", _only(deployment.up(), "same"))
    deployment.destroy()
    roles = client("iam").list_roles(PathPrefix=IAM_PATH)["Roles"]
    yield Claim("destroy leaves no role", not roles)
    vaults = [b for b in client("s3").list_buckets()["Buckets"] if "vault" in b["Name"]]
    yield Claim("and keeps the vault", len(vaults) == 1)


def _only(counts: Counts, operation: str) -> bool:
    """Whether resources were of this operation, and of no other."""
    return {name for name, count in counts.items() if count} == {operation}


def _new_vpc(ec2: Any, cidr: str) -> str:
    return str(ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"])


def _groups(ec2: Any, vpc: str) -> dict[str, str]:
    """The kit's groups in a VPC: name to id."""
    filters = [{"Name": "vpc-id", "Values": [vpc]}, {"Name": "tag-key", "Values": [TAG_KIT]}]
    groups = ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
    return {group["GroupName"]: group["GroupId"] for group in groups}


def _delete_vpc(ec2: Any, vpc: str) -> None:
    """As its owner does after `cordon vpc release`."""
    for group in _groups(ec2, vpc).values():
        ec2.delete_security_group(GroupId=group)
    ec2.delete_vpc(VpcId=vpc)


class CliDeployment:
    """A stack of the `pulumi` CLI, through the Automation API."""

    def __init__(self, stack: automation.Stack, write: Callable[[str], object]) -> None:
        self._stack = stack
        self._write = write

    def preview(self) -> Counts:
        """`pulumi preview`."""
        summary = self._stack.preview(on_output=self._write, color="never").change_summary
        return _named(summary)

    def up(self, *, refresh: bool = False) -> Counts:
        """`pulumi up --yes`."""
        result = self._stack.up(on_output=self._write, color="never", refresh=refresh)
        return _named(result.summary.resource_changes)

    def refresh(self) -> Counts:
        """`pulumi refresh --yes`."""
        result = self._stack.refresh(on_output=self._write, color="never")
        return _named(result.summary.resource_changes)

    def destroy(self) -> Counts:
        """`pulumi destroy --yes --exclude-protected`."""
        result = self._stack.destroy(on_output=self._write, color="never", exclude_protected=True)
        return _named(result.summary.resource_changes)


def _named(changes: Mapping[Any, int] | None) -> Counts:
    return {str(getattr(kind, "value", kind)): count for kind, count in (changes or {}).items()}


@contextmanager
def cli_deployment(
    environment: Mapping[str, str], write: Callable[[str], object]
) -> Iterator[CliDeployment]:
    """A stack of a new project in a temporary folder, with the stand-in first on PATH."""
    from pulumi import automation

    from lab.plugin.serving import install

    with tempfile.TemporaryDirectory(prefix="cordon-lab-") as folder:
        root = Path(folder)
        for name in ("state", "plugin", "project"):
            (root / name).mkdir()
        install(root / "plugin")
        _write_project(root / "project")
        variables = {
            **environment,
            "PATH": f"{root / 'plugin'}{os.pathsep}{os.environ['PATH']}",
            "PULUMI_BACKEND_URL": (root / "state").as_uri(),
            "PULUMI_CONFIG_PASSPHRASE": "lab",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PYTHONPATH": str(CHECKOUT),
        }
        options = automation.LocalWorkspaceOptions(env_vars=variables)
        stack = automation.create_or_select_stack(
            STACK, work_dir=str(root / "project"), opts=options
        )
        yield CliDeployment(stack, write)


def _write_project(folder: Path) -> None:
    """What `cordon init` writes, run with this Python, and the settings of the stack."""
    import yaml

    from responders import project

    project.create(folder)
    file = folder / "Pulumi.yaml"
    settings = yaml.safe_load(file.read_text())
    settings["runtime"]["options"]["virtualenv"] = sys.prefix
    file.write_text(yaml.safe_dump(settings, sort_keys=False))
    (folder / "stacks" / f"Pulumi.{STACK}.yaml").write_text(yaml.safe_dump({"config": CONFIG}))


def main(arguments: Sequence[str]) -> int:
    """0: all is so, or there is no CLI; 1: something is not so; 2: required, and no CLI."""
    if shutil.which("pulumi") is None:
        required = "--require" in arguments
        print(
            "SKIPPED: there is no `pulumi` on PATH, so nothing ran on Pulumi's own engine. "
            "Install the CLI, 3.91.0 or later, and run this again.",
            file=sys.stderr,
        )
        return 2 if required else 0
    from lab.account import account

    false = 0
    with account() as lab, cli_deployment(lab.server.env, sys.stderr.write) as deployment:
        for claim in live(deployment, lab.client):
            print(f"{'✓' if claim.holds else '✗'} {claim.text}", flush=True)
            false += not claim.holds
    return 1 if false else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
