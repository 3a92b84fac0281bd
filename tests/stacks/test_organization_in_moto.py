"""The organization stack and the documents, really created in moto and read back from it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from components.documents import content as document_content
from components.guardrails import Scope
from components.guardrails import content as guardrail
from contract import TAG_STACK, Document, Purpose, kit_tags
from lab.engine.engine import Engine
from lab.server import HOME_REGION
from tests.conftest import AwsLab
from tests.preparation import PROGRAM

DOCUMENTS = """
import pulumi
from components.documents import Documents, DocumentsArgs
pulumi.export("pins", Documents("documents", DocumentsArgs("eu-west-1", {})).pins)
"""


@pytest.fixture
def engine(aws_lab: AwsLab) -> Engine:
    return Engine(aws_lab.client, HOME_REGION)


def test_the_policies_are_in_force_where_they_should_be(aws_lab: AwsLab, engine: Engine) -> None:
    organizations = aws_lab.client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    [root] = organizations.list_roots()["Roots"]
    for kind in ("SERVICE_CONTROL_POLICY", "TAG_POLICY"):
        organizations.enable_policy_type(RootId=root["Id"], PolicyType=kind)
    unit = organizations.create_organizational_unit(ParentId=root["Id"], Name="workloads")
    target = unit["OrganizationalUnit"]["Id"]

    made = engine.up(
        PROGRAM,
        {
            "stacks": ["organization"],
            "guardrailTargets": [target],
            "tagPolicyTargets": [root["Id"]],
        },
    )

    def attached(where: str, kind: str) -> dict[str, str]:
        found = organizations.list_policies_for_target(TargetId=where, Filter=kind)["Policies"]
        return {policy["Name"]: policy["Id"] for policy in found if not policy["AwsManaged"]}

    scps = attached(target, "SERVICE_CONTROL_POLICY")
    assert set(scps) == {"cordon-prepared", "cordon-quarantine"}
    assert scps["cordon-prepared"] == made.exports["guardrails"]["prepared"]
    assert attached(root["Id"], "SERVICE_CONTROL_POLICY") == {}
    assert attached(root["Id"], "TAG_POLICY") == {"cordon-tags": made.exports["tagPolicy"]}

    emergency = made.exports["guardrails"]["emergency"]
    assert organizations.list_targets_for_policy(PolicyId=emergency)["Targets"] == []
    policy = organizations.describe_policy(PolicyId=emergency)["Policy"]
    known = organizations.describe_organization()["Organization"]["Id"]
    assert policy["Content"] == guardrail("emergency", Scope("aws", known))
    tags = organizations.list_tags_for_resource(ResourceId=emergency)["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in tags} == kit_tags(
        Purpose.GUARDRAIL, {TAG_STACK: "cordon/dev"}
    )


def test_the_documents_in_the_account_have_the_pinned_hash(
    aws_lab: AwsLab, engine: Engine, tmp_path: Path
) -> None:
    program = tmp_path / "__main__.py"
    program.write_text(DOCUMENTS)
    pins = engine.up(program, {}).exports["pins"]

    ssm = aws_lab.client("ssm", "eu-west-1")
    for document in Document:
        described = ssm.describe_document(Name=document.value)["Document"]
        assert described["Hash"] == pins[document.value]["sha256"]
        assert described["HashType"] == "Sha256"
        kept = ssm.get_document(Name=document.value, DocumentFormat="JSON")["Content"]
        assert json.loads(kept) == json.loads(document_content(document))
