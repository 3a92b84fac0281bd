"""The bridge's table against the installed provider and the installed Checkov."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from policies.bridge.draft import draft
from policies.bridge.errors import BridgeError
from policies.bridge.provider import Parameter, inside, properties
from policies.bridge.table import Kind, Mapped, Shape, everything, mapped
from policies.gate.ask import PYTHON

ALL = everything()


def differences(
    shape: Shape, parameters: Mapping[str, Parameter], path: str, above: tuple[object, ...] = ()
) -> Iterator[str]:
    """What the table and pulumi_aws say differently of a type or block, and of those inside.

    A block that repeats one around it (`name^block`) may lack some of that one's properties.
    """
    repeated = any(shape.properties is outer for outer in above)
    for key in sorted(parameters.keys() - shape.properties.keys()):
        yield f"{path}{key}: only in pulumi_aws"
    for key in sorted(shape.properties.keys() - parameters.keys()):
        if not repeated:
            yield f"{path}{key}: only in the table"
    for key in sorted(parameters.keys() & shape.properties.keys()):
        prop, parameter = shape.properties[key], parameters[key]
        if prop.kind not in expected_kinds(parameter):
            yield f"{path}{key}: {prop.kind} in the table, but one of {expected_kinds(parameter)}"
        elif prop.inside and parameter.objects and parameter.objects not in above:
            within = (*above, shape.properties, parameter.objects)
            yield from differences(prop.inside, inside(parameter.objects), f"{path}{key}.", within)


def expected_kinds(parameter: Parameter) -> set[Kind]:
    if parameter.document:
        return {Kind.DOCUMENT}
    if parameter.objects:
        return {Kind.BLOCKS} if parameter.is_list else {Kind.BLOCK}
    if parameter.map:
        return {Kind.MAP}
    return {Kind.VALUE} if parameter.is_list else {Kind.VALUE, Kind.ONLY, Kind.DOCUMENT}


@pytest.mark.parametrize("entry", ALL, ids=lambda entry: entry.terraform)
def test_type_has_what_pulumi_aws_has(entry: Mapped) -> None:
    assert list(differences(entry.shape, properties(entry.token), "")) == []


def test_terraform_types_and_tokens_are_unique() -> None:
    assert (
        len({entry.terraform for entry in ALL}) == len({entry.token for entry in ALL}) == len(ALL)
    )


def test_an_unmapped_type_names_the_file_to_add_it_to() -> None:
    with pytest.raises(
        BridgeError,
        match=r"no aws:xray/group:Group: add a section to policies/bridge/table/xray.toml",
    ):
        mapped("aws:xray/group:Group")


def test_a_type_of_another_provider_is_refused() -> None:
    with pytest.raises(BridgeError, match="no type of Pulumi's AWS provider"):
        mapped("random:index/randomId:RandomId")


def test_a_draft_agrees_with_a_section_that_was_reviewed() -> None:
    lines = list(draft("aws:s3/bucketVersioning:BucketVersioning"))
    assert lines == [
        "[aws_s3_bucket_versioning]",
        'token = "aws:s3/bucketVersioning:BucketVersioning"',
        'has = "bucket expected_bucket_owner mfa region"',
        '"versioning_configuration" = "mfa_delete status"',
    ]


# --- against Checkov ------------------------------------------------------------------------------

REMOVED = {"aws_db_security_group", "aws_elasticache_security_group", "aws_redshift_security_group"}
"""Types that Checkov still knows and the AWS provider no longer has (EC2-Classic)."""
META = {"lifecycle"}
"""What Terraform gives every resource; Pulumi has resource options instead."""
ANSWERED = {
    ("aws_db_cluster_snapshot", "storage_encrypted"),
    ("aws_neptune_cluster_snapshot", "kms_key_id"),
    ("aws_neptune_cluster_snapshot", "storage_encrypted"),
}
"""Attributes that AWS answers and nobody can set: no program declares them."""
OLDER = {("aws_redshift_cluster", "logging"), ("aws_ssm_document", "permissions")}
"""Blocks of older providers: now a resource of its own, and a map."""


@pytest.fixture(scope="module")
def checkov() -> dict[str, Any]:
    """What Checkov's checks look at."""
    facts = Path(__file__).with_name("checkov_facts.py")
    ran = subprocess.run([PYTHON, facts], capture_output=True, text=True, check=True, timeout=120)
    found = json.loads(ran.stdout)
    assert isinstance(found, dict)
    return found


def test_every_type_that_checkov_checks_is_mapped(checkov: dict[str, Any]) -> None:
    mapped_ = {entry.terraform for entry in ALL}
    assert set(checkov["types"]) - mapped_ == REMOVED
    assert len(set(checkov["types"]) & mapped_) > 60


def test_checkov_and_the_table_call_arguments_the_same(checkov: dict[str, Any]) -> None:
    """Where Checkov looks, the table has an argument: plurals and renames are right."""
    strange = [
        (entry.terraform, key)
        for entry in ALL
        for key in checkov["keys"].get(entry.terraform, {}).values()
        if key and (entry.terraform, key.split("/")[0]) not in ANSWERED | OLDER
        if key.split("/")[0] not in META and not reaches(entry.shape, key)
    ]
    assert strange == []


def reaches(shape: Shape | None, key: str) -> bool:
    """Whether a path such as `logging/[0]/enable` leads to an argument of the shape."""
    names = [step for step in re.split(r"[/.]", key) if not re.fullmatch(r"\[?\d*\]?|\*", step)]
    for name in names:
        inside_ = {one.name: one for one in shape.properties.values()} if shape else {}
        if name not in inside_:
            return False
        shape = inside_[name].inside
    return bool(names)
