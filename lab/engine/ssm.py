"""Parameters and documents."""

from __future__ import annotations

from lab.engine.resource import Created, New


def _parameter(new: New) -> Created:
    made = new.client("ssm").put_parameter(
        Name=new.name,
        Value=new.inputs.get("insecureValue") or new.inputs["value"],
        Type=new.inputs["type"],
        Tags=new.tags,
        **new.some(description="Description", keyId="KeyId", tier="Tier"),
    )
    slash = "" if new.name.startswith("/") else "/"
    arn = f"arn:aws:ssm:{new.region}:{new.account}:parameter{slash}{new.name}"
    return new.name, {"arn": arn, "version": made["Version"]}


def _document(new: New) -> Created:
    made = new.client("ssm").create_document(
        Name=new.name,
        Content=new.inputs["content"],
        DocumentType=new.inputs["documentType"],
        Tags=new.tags,
        **new.some(documentFormat="DocumentFormat", targetType="TargetType"),
    )["DocumentDescription"]
    return new.name, {
        "arn": f"arn:aws:ssm:{new.region}:{new.account}:document/{new.name}",
        "hash": made["Hash"],
        "hashType": made["HashType"],
        "documentVersion": made["DocumentVersion"],
        "latestVersion": made["LatestVersion"],
        "defaultVersion": made["DefaultVersion"],
    }


CREATE = {"aws:ssm/parameter:Parameter": _parameter, "aws:ssm/document:Document": _document}
