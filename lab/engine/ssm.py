"""Parameters and documents."""

from __future__ import annotations

from lab.engine.resource import Attributes, Change, Created, Held, Kind, New


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

    def change(held: Held) -> None:
        ssm = held.client("ssm")
        ssm.add_tags_to_resource(ResourceType=kind, ResourceId=held.id, Tags=held.tags)
        if held.dropped_tags:
            ssm.remove_tags_from_resource(
                ResourceType=kind, ResourceId=held.id, TagKeys=held.dropped_tags
            )

    return change


def _put_value(held: Held) -> None:
    held.client("ssm").put_parameter(
        Name=held.id,
        Value=held.inputs.get("insecureValue") or held.inputs["value"],
        Type=held.inputs["type"],
        Overwrite=True,
        **held.renamed(description="Description"),
    )


def _value(held: Held) -> Attributes:
    """The parameter's value, if somebody changed it."""
    answer = held.client("ssm").get_parameter(Name=held.id, WithDecryption=True)["Parameter"]
    key = "insecureValue" if "insecureValue" in held.inputs else "value"
    return {} if answer["Value"] == held.inputs.get(key) else {key: answer["Value"]}


def _put_content(held: Held) -> None:
    ssm = held.client("ssm")
    description = ssm.update_document(
        Name=held.id, Content=held.inputs["content"], DocumentVersion="$LATEST"
    )["DocumentDescription"]
    ssm.update_document_default_version(
        Name=held.id, DocumentVersion=description["DocumentVersion"]
    )


def _document_attributes(held: Held) -> Attributes:
    """What a change of the content changes with it."""
    document = held.client("ssm").describe_document(Name=held.id)["Document"]
    return {
        "hash": document["Hash"],
        "latestVersion": document["LatestVersion"],
        "defaultVersion": document["DefaultVersion"],
    }


KINDS = {
    "aws:ssm/parameter:Parameter": Kind(
        _parameter,
        _value,
        lambda held: held.client("ssm").delete_parameter(Name=held.id),
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
        lambda held: held.client("ssm").delete_document(Name=held.id),
        {"content": _put_content, "tags": _tags("Document")},
        absent=["InvalidDocument"],
    ),
}
