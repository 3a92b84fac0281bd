"""The trust document of a scenario, as `pulumi up` would export it for what is in the account."""

from __future__ import annotations

from contract import GROUP_NAMES, MANIFEST_PARAMETER, Manifest, TrustDocument, TrustedRegion
from responders.trust import pin
from tests.conftest import AwsLab

ACCOUNT = "123456789012"
"""The lab's own account, moto's."""


def document_of(lab: AwsLab, region: str, **more: object) -> TrustDocument:
    """Of one prepared region, as it is now; `more` are fields of the document."""
    parameter = lab.client("ssm", region).get_parameter(Name=MANIFEST_PARAMETER)["Parameter"]
    names = {name: purpose.value for purpose, name in GROUP_NAMES.items()}
    groups: dict[str, dict[str, str]] = {}
    for group in lab.client("ec2", region).describe_security_groups()["SecurityGroups"]:
        if group["GroupName"] in names:
            groups.setdefault(group["VpcId"], {})[names[group["GroupName"]]] = group["GroupId"]
    return TrustDocument(
        account=ACCOUNT,
        partition="aws",
        vault_account=ACCOUNT,
        regions={region: TrustedRegion(Manifest.from_json(parameter["Value"]), groups)},
        **more,  # type: ignore[arg-type]
    )


def pin_account(lab: AwsLab, region: str, **more: object) -> TrustDocument:
    """Keeps it, in place of any other."""
    document = document_of(lab, region, **more)
    pin.keep(document, replace=True)
    return document


def unpin() -> None:
    """Forgets it."""
    pin.file_of(ACCOUNT).unlink(missing_ok=True)
