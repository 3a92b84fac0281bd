"""Instance profiles for tests: a workload's own, with paths and other names, and the kit's."""

from __future__ import annotations

import json
from typing import Any

from contract import (
    CHANNEL_PROFILE,
    DARK_PROFILE,
    IAM_PATH,
    MANIFEST_PARAMETER,
    Manifest,
)
from tests.responders.conftest import Scenario
from tests.responders.pinning import pin_account

ISOLATED = {"dark": DARK_PROFILE, "channel": CHANNEL_PROFILE}
ROLE, PROFILE = "web-role", "web-profile"


def trust(service: str = "ec2.amazonaws.com") -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": service},
        "Action": "sts:AssumeRole",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def make_role(scenario: Scenario, name: str = ROLE, path: str = "/service-role/") -> str:
    """A role that instances may have; gives its unique id."""
    iam = scenario.client("iam")
    made = iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=trust())
    return str(made["Role"]["RoleId"])


def make_profile(
    scenario: Scenario, role: str | None = ROLE, name: str = PROFILE, path: str = "/apps/"
) -> str:
    """A profile, with a role or without; gives its ARN."""
    iam = scenario.client("iam")
    made = iam.create_instance_profile(InstanceProfileName=name, Path=path)
    if role:
        iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=role)
    return str(made["InstanceProfile"]["Arn"])


def give(scenario: Scenario, name: str = PROFILE, instance: str = "") -> None:
    """Gives an instance a profile."""
    scenario.client("ec2").associate_iam_instance_profile(
        InstanceId=instance or scenario.instance, IamInstanceProfile={"Name": name}
    )


def prepare_isolated(scenario: Scenario) -> None:
    """The isolated profiles, and the manifest that names them."""
    for name in ISOLATED.values():
        make_role(scenario, name, IAM_PATH)
        make_profile(scenario, name, name, IAM_PATH)
    ssm = scenario.client("ssm")
    now = Manifest.from_json(ssm.get_parameter(Name=MANIFEST_PARAMETER)["Parameter"]["Value"])
    values = {**now.__dict__, "isolated_profiles": ISOLATED}
    ssm.put_parameter(Name=MANIFEST_PARAMETER, Value=Manifest(**values).to_json(), Overwrite=True)
    pin_account(scenario.lab, scenario.region)


def profile_of(scenario: Scenario) -> str | None:
    """Name of the instance's profile now."""
    answer = scenario.client("ec2").describe_iam_instance_profile_associations(
        Filters=[{"Name": "instance-id", "Values": [scenario.instance]}]
    )
    found = [a["IamInstanceProfile"]["Arn"] for a in answer["IamInstanceProfileAssociations"]]
    assert len(found) < 2
    return found[0].rsplit("/", 1)[-1] if found else None


def policies_of(scenario: Scenario, role: str = ROLE) -> dict[str, Any]:
    """Inline policies of a role."""
    iam = scenario.client("iam")
    return {
        name: iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]
        for name in iam.list_role_policies(RoleName=role)["PolicyNames"]
    }
