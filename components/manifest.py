"""One SSM parameter per region that says what is prepared there, read in one call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_aws as aws

import contract
from contract import DocumentPin, Purpose, kit_tags


@dataclass(frozen=True)
class ManifestArgs:
    """`content` has the fields of `contract.Manifest`; fields left out are not prepared.

    `documents` maps a document's name to the fields of its pin.
    """

    region: str
    content: Mapping[str, Any]
    documents: pulumi.Input[Mapping[str, Mapping[str, str]]] = field(default_factory=dict)
    responder_cidrs: Sequence[str] = ()
    tags: Mapping[str, str] = field(default_factory=dict)


class Manifest(pulumi.ComponentResource):
    """The parameter. It holds names and ids only, no secret, so previews may show it.

    `parameter` is its name, `text` what it holds.
    """

    def __init__(
        self, name: str, args: ManifestArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("cordon:components:Manifest", name, {"region": args.region}, opts)
        text = pulumi.Output.all(content=dict(args.content), documents=args.documents).apply(
            lambda known: _text(args, known["content"], known["documents"])
        )
        parameter = aws.ssm.Parameter(
            f"{name}-parameter",
            region=args.region,
            name=contract.MANIFEST_PARAMETER,
            type="String",
            insecure_value=text,
            description="Cordon: what is prepared in this region",
            tags=kit_tags(Purpose.MANIFEST, args.tags),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.parameter, self.text = parameter.name, text
        self.register_outputs({"parameter": self.parameter})


def _text(
    args: ManifestArgs, content: Mapping[str, Any], documents: Mapping[str, Mapping[str, str]]
) -> str:
    return contract.Manifest(
        **content,
        documents={key: DocumentPin(**pin) for key, pin in documents.items()},
        responder_cidrs=tuple(args.responder_cidrs),
    ).to_json()
