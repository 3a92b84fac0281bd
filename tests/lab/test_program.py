"""The in-process Pulumi runtime: what the engine would do, and mocks would not."""

from __future__ import annotations

import textwrap
import time
from pathlib import Path

import pytest

from lab.plain import PlainMocks, UnknownInvoke
from lab.program import DuplicateUrn, Program, run_program
from lab.project import ConfigError

COMPONENT = """
import pulumi, pulumi_aws as aws

class Isolation(pulumi.ComponentResource):
    def __init__(self, name, vpc, region, opts=None):
        super().__init__("t:index:Isolation", name, {"vpcId": vpc, "region": region}, opts)
        group = aws.ec2.SecurityGroup(f"{name}-sg", region=region, vpc_id=vpc, description="d",
            ingress=[], egress=[], tags={"cordon:purpose": "isolate"},
            opts=pulumi.ResourceOptions(parent=self, protect=True, retain_on_delete=True,
                                        ignore_changes=["description"]))
        self.group_id = group.id
        self.register_outputs({"groupId": group.id})
"""


def write(folder: Path, source: str, project: str = "") -> Path:
    (folder / "Pulumi.yaml").write_text(project or "name: t\nruntime: python\n")
    program = folder / "__main__.py"
    program.write_text(textwrap.dedent(source))
    return program


def run(folder: Path, source: str, project: str = "", **options: object) -> Program:
    options.setdefault("mocks", PlainMocks())
    return run_program(write(folder, source, project), **options)  # type: ignore[arg-type]


def test_registrations_keep_all_that_was_declared(tmp_path: Path) -> None:
    program = run(
        tmp_path,
        COMPONENT
        + """
for region in aws.get_regions().names:
    for vpc in aws.ec2.get_vpcs(region=region).ids:
        isolation = Isolation(f"iso-{region}", vpc, region)
        pulumi.export(region, isolation.group_id)
""",
        mocks=PlainMocks(regions=["eu-west-1"], vpcs={"eu-west-1": ["vpc-1"]}),
    )
    component, group = program.registrations
    assert component.urn == "urn:pulumi:dev::cordon::t:index:Isolation::iso-eu-west-1"
    assert group.urn == (
        "urn:pulumi:dev::cordon::t:index:Isolation$aws:ec2/securityGroup:SecurityGroup"
        "::iso-eu-west-1-sg"
    )
    assert (component.custom, group.custom) == (False, True)
    assert group.parent == component.urn
    assert program.children(component.urn) == (group,)
    assert group.inputs["vpcId"] == "vpc-1"
    assert group.inputs["ingress"] == [] == group.inputs["egress"]
    assert group.inputs["tags"] == {"cordon:purpose": "isolate"}
    assert (group.protect, group.retain_on_delete) == (True, True)
    assert group.ignore_changes == ("description",)
    assert group.source is not None
    assert group.source.file == tmp_path / "__main__.py"
    assert (
        "aws.ec2.SecurityGroup("
        in group.source.file.read_text().splitlines()[group.source.line - 1]
    )
    assert component.outputs == {"groupId": group.id}
    assert program.exports == {"eu-west-1": group.id}


def test_property_dependencies_name_the_resources_an_input_came_from(tmp_path: Path) -> None:
    program = run(
        tmp_path,
        """
        import pulumi_aws as aws
        vpc = aws.ec2.Vpc("v", region="eu-west-1", cidr_block="10.0.0.0/24")
        aws.ec2.Subnet("s", region="eu-west-1", vpc_id=vpc.id, cidr_block="10.0.0.0/25")
        """,
    )
    vpc, subnet = program.named("v"), program.named("s")
    assert subnet.property_dependencies["vpcId"] == (vpc.urn,)
    assert subnet.dependencies == (vpc.urn,)
    assert subnet.inputs["vpcId"] == vpc.id


def test_two_resources_with_one_urn_are_refused(tmp_path: Path) -> None:
    twice = 'import pulumi_aws as aws\nfor _ in "ab":\n    aws.kms.Key("k", region="eu-west-1")\n'
    with pytest.raises(DuplicateUrn, match="::k is registered twice"):
        run(tmp_path, twice)


def test_an_error_of_the_program_comes_out_as_that_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        run(tmp_path, "import pulumi_aws as aws\naws.kms.Key('k')\n1 / 0\n")
    assert run(tmp_path, "import pulumi\npulumi.export('a', 1)\n").exports == {"a": 1}


def test_a_program_that_exits_is_not_a_success(tmp_path: Path) -> None:
    with pytest.raises(SystemExit):
        run(tmp_path, "raise SystemExit(3)\n")


def test_an_invoke_that_nothing_answers_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UnknownInvoke, match="getInstance"):
        run(tmp_path, "import pulumi_aws as aws\naws.ec2.get_instance(instance_id='i-1')\n")


def test_defaults_of_the_project_file_reach_the_program(tmp_path: Path) -> None:
    project = """
name: t
runtime: python
config:
  regions: {type: array, items: {type: string}, default: [eu-west-1]}
  days: {type: integer, default: 30}
  mfa: {type: boolean, default: true}
  secretWord: {type: string, secret: true, default: hush}
  aws:region: eu-central-1
"""
    source = """
        import pulumi
        config = pulumi.Config()
        pulumi.export("regions", config.get_object("regions"))
        pulumi.export("days", config.require_int("days"))
        pulumi.export("mfa", config.require_bool("mfa"))
        pulumi.export("word", config.require_secret("secretWord"))
        pulumi.export("home", pulumi.Config("aws").require("region"))
        """
    program = run(tmp_path, source, project, config={"days": 7, "aws:region": "us-west-2"})
    assert program.exports == {
        "regions": ["eu-west-1"],
        "days": 7,
        "mfa": True,
        "word": "hush",
        "home": "us-west-2",
    }
    assert program.secret_exports == {"word"}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"regions": "eu-west-1", "case": "x"}, "'cordon:regions' must be of type 'array'"),
        ({"regions": [1], "case": "x"}, r"'cordon:regions\[\]' must be of type 'string'"),
        ({"days": True, "case": "x"}, "'cordon:days' must be of type 'integer'"),
        ({}, "missing configuration value 'cordon:case'"),
    ],
)
def test_settings_that_the_engine_would_refuse_are_refused(
    tmp_path: Path, config: dict[str, object], message: str
) -> None:
    project = """
name: t
config:
  regions: {type: array, items: {type: string}, default: []}
  days: {type: integer, default: 1}
  case: {type: string}
"""
    with pytest.raises(ConfigError, match=message):
        run(tmp_path, "", project, config=config)


def test_in_a_preview_ids_are_unknown(tmp_path: Path) -> None:
    source = """
        import pulumi, pulumi_aws as aws
        vpc = aws.ec2.Vpc("v", cidr_block="10.0.0.0/24")
        pulumi.export("dry", pulumi.runtime.is_dry_run())
        """
    assert run(tmp_path, source, preview=True).exports["dry"] is True


def test_a_run_leaves_nothing_for_the_next(tmp_path: Path) -> None:
    source = "import pulumi_aws as aws\naws.kms.Key('k', region='eu-west-1')\n"
    first = run(tmp_path, source, config={"left": "over"})
    second = run(tmp_path, "import pulumi\npulumi.export('x', pulumi.Config().get('left'))\n")
    assert [r.name for r in first.registrations] == ["k"]
    assert second.registrations == ()
    assert second.exports.get("x") is None


def test_computed_attributes_feed_other_resources(tmp_path: Path) -> None:
    program = run(
        tmp_path,
        """
        import pulumi_aws as aws
        key = aws.kms.Key("k", region="eu-west-1")
        aws.kms.Alias("a", region="eu-west-1", target_key_id=key.key_id)
        bucket = aws.s3.Bucket("b", region="eu-west-1", bucket="evidence")
        aws.ec2.FlowLog("f", region="eu-west-1", vpc_id="vpc-1", log_destination=bucket.arn)
        """,
    )
    assert program.named("a").inputs["targetKeyId"] == program.named("k").id
    assert program.named("f").inputs["logDestination"] == "arn:aws:s3:::evidence"
    assert program.named("k").outputs["arn"].startswith("arn:aws:kms:eu-west-1:111122223333:key/")


def test_imagined_vpcs_are_looked_up_by_tag(tmp_path: Path) -> None:
    source = """
        import pulumi, pulumi_aws as aws
        def ids(**how):
            return aws.ec2.get_vpcs(region="eu-west-1", **how).ids
        key = aws.ec2.GetVpcsFilterArgs(name="tag-key", values=["cordon:ignore", "other"])
        pulumi.export("all", ids())
        pulumi.export("tags", ids(tags={"cordon:ignore": "yes"}))
        pulumi.export("key", ids(filters=[key]))
        """
    mocks = PlainMocks(
        vpcs={"eu-west-1": ["vpc-1", "vpc-2"]}, vpc_tags={"vpc-2": {"cordon:ignore": "yes"}}
    )
    exports = run(tmp_path, source, mocks=mocks).exports
    assert exports == {"all": ["vpc-1", "vpc-2"], "tags": ["vpc-2"], "key": ["vpc-2"]}


def test_an_asynchronous_program_is_awaited(tmp_path: Path) -> None:
    source = """
        import asyncio, pulumi, pulumi_aws as aws
        async def build():
            asked = [aws.ec2.get_vpcs_output(region=r).future() for r in aws.get_regions().names]
            return {"vpcs": [found.ids for found in await asyncio.gather(*asked)]}
        pulumi.run(build)
        """
    mocks = PlainMocks(["us-east-1", "eu-west-1"], {"us-east-1": ["vpc-1"], "eu-west-1": []})
    assert run(tmp_path, source, mocks=mocks).exports == {"vpcs": [["vpc-1"], []]}


def test_a_hundred_resources_take_well_under_a_second(tmp_path: Path) -> None:
    source = """
        import pulumi_aws as aws
        for n in range(100):
            aws.ec2.SecurityGroup(f"g{n}", region="eu-west-1", vpc_id="vpc-1", ingress=[])
        """
    run(tmp_path, source)
    started = time.process_time()
    assert len(run(tmp_path, source).registrations) == 100
    assert time.process_time() - started < 2.0
