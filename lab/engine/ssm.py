"""Parameters and documents."""

from __future__ import annotations

from lab.engine.resource import Attributes, Change, Created, Existing, Kind, New


def _parameter(new: New) -> Created:
    answer = new.client("ssm").put_parameter(
        Name=new.name,
        Value=new.inputs.get("insecureValue") or new.inputs["value"],
        Type=new.inputs["type"],
        Tags=new.tags,
        **new.renamed(description="Description", keyId="KeyId", tier="Tier"),
    )
    slash = "" if new.name.startswith("/") else "/"
    arn = f"arn:aws:ssm:{new.region}:{new.account}:parameter{slash}{new.name}"
    return new.name, {"arn": arn, "version": answer["Version"]}


def _document(new: New) -> Created:
    description = new.client("ssm").create_document(
        Name=new.name,
        Content=new.inputs["content"],
        DocumentType=new.inputs["documentType"],
        Tags=new.tags,
        **new.renamed(documentFormat="DocumentFormat", targetType="TargetType"),
    )["DocumentDescription"]
    return new.name, {
        "arn": f"arn:aws:ssm:{new.region}:{new.account}:document/{new.name}",
        "hash": description["Hash"],
        "hashType": description["HashType"],
        "documentVersion": description["DocumentVersion"],
        "latestVersion": description["LatestVersion"],
        "defaultVersion": description["DefaultVersion"],
    }


def _tags(kind: str) -> Change:
    """Makes the tags of a parameter or document those that are declared."""

    def change(existing: Existing) -> None:
        ssm = existing.client("ssm")
        ssm.add_tags_to_resource(ResourceType=kind, ResourceId=existing.id, Tags=existing.tags)
        if existing.dropped_tags:
            ssm.remove_tags_from_resource(
                ResourceType=kind, ResourceId=existing.id, TagKeys=existing.dropped_tags
            )

    return change


def _put_value(existing: Existing) -> None:
    existing.client("ssm").put_parameter(
        Name=existing.id,
        Value=existing.inputs.get("insecureValue") or existing.inputs["value"],
        Type=existing.inputs["type"],
        Overwrite=True,
        **existing.renamed(description="Description"),
    )


def _value(existing: Existing) -> Attributes:
    """The parameter's value, if somebody changed it."""
    answer = existing.client("ssm").get_parameter(Name=existing.id, WithDecryption=True)[
        "Parameter"
    ]
    key = "insecureValue" if "insecureValue" in existing.inputs else "value"
    return {} if answer["Value"] == existing.inputs.get(key) else {key: answer["Value"]}


def _put_content(existing: Existing) -> None:
    ssm = existing.client("ssm")
    description = ssm.update_document(
        Name=existing.id, Content=existing.inputs["content"], DocumentVersion="$LATEST"
    )["DocumentDescription"]
    ssm.update_document_default_version(
        Name=existing.id, DocumentVersion=description["DocumentVersion"]
    )


def _document_attributes(existing: Existing) -> Attributes:
    """What a change of the content changes with it."""
    document = existing.client("ssm").describe_document(Name=existing.id)["Document"]
    return {
        "hash": document["Hash"],
        "latestVersion": document["LatestVersion"],
        "defaultVersion": document["DefaultVersion"],
    }


KINDS = {
    "aws:ssm/parameter:Parameter": Kind(
        _parameter,
        _value,
        lambda existing: existing.client("ssm").delete_parameter(Name=existing.id),
        {
            "value": _put_value,
            "insecureValue": _put_value,
            "description": _put_value,
            "tags": _tags("Parameter"),
        },
        absent=["ParameterNotFound"],
    ),
    "aws:ssm/document:Document": Kind(
        _document,
        _document_attributes,
        lambda existing: existing.client("ssm").delete_document(Name=existing.id),
        {"content": _put_content, "tags": _tags("Document")},
        absent=["InvalidDocument"],
    ),
}
