"""The bridge's table against the installed provider and the installed Checkov."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest

from policies.bridge.draft import draft
from policies.bridge.errors import BridgeError
from policies.bridge.provider import Given, inside, properties
from policies.bridge.table import Kind, Mapped, Shape, everything, mapped

ALL = everything()


def differences(
    shape: Shape, given: Mapping[str, Given], path: str, above: tuple[object, ...] = ()
) -> Iterator[str]:
    """What the table and pulumi_aws say differently of a type or block, and of those inside.

    A block that repeats one around it (`name^block`) may lack some of that one's properties.
    """
    repeated = any(shape.properties is outer for outer in above)
    for key in sorted(given.keys() - shape.properties.keys()):
        yield f"{path}{key}: only in pulumi_aws"
    for key in sorted(shape.properties.keys() - given.keys()):
        if not repeated:
            yield f"{path}{key}: only in the table"
    for key in sorted(given.keys() & shape.properties.keys()):
        found, one = shape.properties[key], given[key]
        if found.kind not in expected_kinds(one):
            yield f"{path}{key}: {found.kind} in the table, but one of {expected_kinds(one)}"
        elif found.inside and one.objects and one.objects not in above:
            within = (*above, shape.properties, one.objects)
            yield from differences(found.inside, inside(one.objects), f"{path}{key}.", within)


def expected_kinds(given: Given) -> set[Kind]:
    if given.document:
        return {Kind.DOCUMENT}
    if given.objects:
        return {Kind.BLOCKS} if given.many else {Kind.BLOCK}
    if given.map:
        return {Kind.MAP}
    return {Kind.VALUE} if given.many else {Kind.VALUE, Kind.ONLY, Kind.DOCUMENT}


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
