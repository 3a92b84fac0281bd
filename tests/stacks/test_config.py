"""Every setting is read, documented and refused when bad, before anything is registered."""

from __future__ import annotations

import contextvars
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pulumi.runtime.config import set_all_config

from lab.project import Project
from stacks.config import Settings
from stacks.reading import BadConfig
from tests.preparation import EXTERNAL_ID, OTHER, PROGRAM, Counting, prepare, user

ROLE = "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/Incident_0123456789abcdef"
KEY = "arn:aws:kms:eu-west-1:444455556666:key/00000000-0000-0000-0000-000000000000"
VAULT = "cordon-vault-444455556666-eu-west-1"
BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"stacks": []}, "stacks", "name at least one"),
    ({"stacks": ["acount"]}, "stacks", "'acount' is unknown"),
    ({"regions": ["eu-wst"]}, "regions", "'eu-wst' is not a region"),
    ({"regions": ["eu-west-9"]}, "regions", "eu-west-9 is not enabled"),
    ({"regions": ["eu-west-1", "eu-west-1"]}, "regions", "twice"),
    ({"regions": ["eu-west-1"], "exclude": ["eu-west-1"]}, "exclude", "also in cordon:regions"),
    ({"exclude": ["us-east-1", "eu-west-1"]}, "exclude", "leaves no region"),
    ({"responders": []}, "responders", "name who may assume"),
    ({"responders": ["*"]}, "responders", "'*' is not the ARN of one"),
    ({"responders": ["arn:aws:iam::111122223333:user/*"]}, "responders", "without wildcards"),
    ({"responders": ["arn:aws:iam::11112222333:user/a"]}, "responders", "is not the ARN"),
    ({"responders": ["arn:aws-cn:iam::111122223333:user/a"]}, "responders", "not of the partition"),
    ({"responders": [user("bob", OTHER)]}, "externalId", "of another account"),
    ({"externalId": "short"}, "externalId", "the value is not an external id"),
    ({"responders": [ROLE]}, "requireMfa", "never carries MFA"),
    ({"requireMfa": False}, "externalId", "all that guards"),
    ({"analysts": ["alice"]}, "analysts", "'alice' is not the ARN"),
    ({"breakGlass": [ROLE], "requireMfa": False}, "breakGlass", "name users"),
    ({"stacks": ["forensics"], "responders": []}, "analysts", "name who may read"),
    ({"permissionsBoundary": "Boundary"}, "permissionsBoundary", "is not the ARN of an IAM"),
    ({"sessionHours": 13}, "sessionHours", "from 1 to 12"),
    ({"responderCidrs": ["198.51.100.7/24"]}, "responderCidrs", "host bits"),
    ({"responderCidrs": ["0.0.0.0/0"]}, "responderCidrs", "is wider than /16"),
    ({"responderCidrs": ["::/0"]}, "responderCidrs", "is wider than /16"),
    ({"responderCidrs": ["198.18.0.0/15"]}, "responderCidrs", "dangerouslyWideResponderCidrs"),
    ({"responderCidrs": ["2001:db8::/47"]}, "responderCidrs", "/48 (IPv6)"),
    ({"responderCidrs": ["2001:DB8::/48", "2001:db8::/48"]}, "responderCidrs", "twice"),
    ({"vaultBucket": "my-bucket"}, "vaultBucket", "is not the name of a vault"),
    ({"vaultBucket": VAULT}, "vaultRegion", "set it too"),
    ({"vaultBucket": VAULT, "vaultRegion": "eu-west-1"}, "vaultKeyArn", "set it too"),
    ({"vaultKeyArn": KEY}, "vaultKeyArn", "only goes with vaultBucket"),
    (
        {"vaultBucket": VAULT, "vaultRegion": "us-east-1", "vaultKeyArn": KEY},
        "vaultKeyArn",
        "not a key of us-east-1",
    ),
    ({"vaultRegion": "ap-east-1"}, "vaultRegion", "not enabled"),
    ({"vaultSuffix": "UPPER"}, "vaultSuffix", "up to 13"),
    ({"vaultWriters": ["1234"]}, "vaultWriters", "12-digit"),
    ({"vaultWriters": ["111122223333"]}, "vaultWriters", "is this account"),
    ({"vaultWriters": ["organization"]}, "organizationId", "vaultWriters names"),
    ({"retentionMode": "forever"}, "retentionMode", "use one of governance, compliance"),
    ({"retentionDays": 0}, "retentionDays", "from 1 to 36500"),
    ({"retentionDays": 36501}, "retentionDays", "from 1 to 36500"),
    ({"logDays": 100}, "logDays", "keeps no logs for 100 days"),
    ({"keyDeletionDays": 7}, "keyDeletionDays", "from 14 to 30"),
    ({"forensicAccount": "me"}, "forensicAccount", "12-digit"),
    ({"tier": "tepid"}, "tier", "use one of cold, warm, hot"),
    ({"tiers": {"eu-west-1": "tepid"}}, "tiers", "'tepid' is unknown"),
    ({"stacks": ["forensics"], "tiers": {"eu-south-1": "hot"}}, "tiers", "not among the prepared"),
    (
        {"stacks": ["forensics"], "forensicRegions": ["eu-south-1"]},
        "forensicRegions",
        "not among the prepared",
    ),
    ({"cidrBase": "10.0.0.0/25"}, "cidrBase", "not a private network of /8 to /24"),
    ({"cidrBase": "8.8.0.0/16"}, "cidrBase", "not a private network"),
    ({"cidrBase": "10.0.0.1/16"}, "cidrBase", "host bits"),
    ({"cidrSlots": {"europe": 1}}, "cidrSlots", "'europe' is not a region"),
    ({"cidrSlots": {"eu-west-1": "1"}}, "cidrSlots", "must be of type int"),
    (
        {"stacks": ["forensics"], "cidrSlots": {"eu-west-1": 256}},
        "cidrSlots",
        "not from 0 to 255",
    ),
    (
        {"stacks": ["forensics"], "cidrSlots": {"eu-west-1": 7, "us-east-1": 7}},
        "cidrSlots",
        "would both have slot 7",
    ),
    ({"stacks": ["forensics"], "cidrBase": "10.0.0.0/24"}, "cidrSlots", "is too small"),
    ({"organizationId": "org"}, "organizationId", "an organization's id"),
    ({"watch": "mail"}, "watch", "use one of off, queue, topic"),
    ({"watchEmails": ["ops@example.com"]}, "watchEmails", "needs cordon:watch to be topic"),
    ({"watch": "topic", "watchEmails": ["ops"]}, "watchEmails", "mail address"),
    ({"tags": {"cordon:case": "x"}}, "tags", "'cordon:case' can't be set"),
    ({"tags": {"aws:x": "x"}}, "tags", "'aws:x' can't be set"),
    ({"region": ["eu-west-1"]}, "region", "there is no such setting"),
    (
        {"responderCidrs": [f"10.0.{n}.0/24" for n in range(61)]},
        "responderCidrs",
        "61 networks are too many",
    ),
    (
        {"responderCidrs": [f"2001:db8:1111:2222:3333:4444:5555:{n:x}/128" for n in range(16, 66)]},
        "responderCidrs",
        "50 networks are too many",
    ),
    (
        {"vaultWriters": [f"{n:012d}" for n in range(151)]},
        "vaultWriters",
        "set it to [organization]",
    ),
    (
        {"responders": [user(f"responder-number-{n}") for n in range(50)]},
        "responders",
        "50 principals don't fit",
    ),
]


@pytest.mark.parametrize(
    ("config", "setting", "problem"), BAD, ids=[f"{s}-{p[:20]}" for _, s, p in BAD]
)
def test_a_bad_setting_is_named_and_nothing_is_registered(
    config: dict[str, Any], setting: str, problem: str
) -> None:
    mocks = Counting(zones={"us-east-1": ["us-east-1a"]})
    with pytest.raises(BadConfig) as error:
        prepare({"stacks": ["account", "forensics"], **config}, mocks=mocks)
    assert str(error.value).startswith(f"cordon:{setting}: ")
    assert problem in str(error.value)
    assert mocks.created == []


def test_without_a_region_nothing_is_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    mocks = Counting()
    with pytest.raises(BadConfig, match="aws:region: set it"):
        prepare({"aws:region": ""}, mocks=mocks)
    assert mocks.created == []


def test_an_external_id_is_never_shown() -> None:
    with pytest.raises(BadConfig) as error:
        prepare({"externalId": "sixteen chars ?!"})
    assert "sixteen" not in str(error.value)
    assert EXTERNAL_ID not in repr(read({"cordon:externalId": EXTERNAL_ID}))


def read(config: dict[str, str]) -> Settings:
    """Settings from exactly this configuration, defaults of `Pulumi.yaml` not filled in."""
    least = {"aws:region": "us-east-1", "cordon:responders": f'["{user("alice")}"]'}

    def go() -> Settings:
        set_all_config({**least, **config})
        return Settings.read()

    return contextvars.copy_context().run(go)


def test_the_defaults_of_the_project_file_are_the_program_s_own() -> None:
    declared = dict(Project.beside(PROGRAM, "cordon").settings({}).values)
    assert len(declared) > 20
    del declared["cordon:responders"]
    assert read(declared) == read({})


def test_the_example_explains_every_setting_and_is_accepted() -> None:
    example = Path(__file__).parents[2] / "stacks" / "Pulumi.example.yaml"
    text = example.read_text()
    with pytest.raises(BadConfig) as error:
        read({"cordon:nonsense": "1"})
    settings = re.split(r", ", str(error.value).partition("there are ")[2])
    assert len(settings) > 25
    for setting in settings:
        assert re.search(rf"^  (# )?cordon:{setting}:", text, re.MULTILINE), setting
    config = {k: v for k, v in yaml.safe_load(text)["config"].items() if k.startswith("cordon:")}
    program = prepare({**config, "aws:region": "us-east-1"})
    assert program.exports["groups"].keys() == {"eu-west-1", "us-east-1"}


def test_no_declared_default_is_unknown_to_the_program() -> None:
    text = yaml.safe_load((PROGRAM.parent / "Pulumi.yaml").read_text())
    assert text["stackConfigDir"] == "stacks"
    for key, entry in text["config"].items():
        assert entry["description"], key
        assert "default" in entry, key
    prepare()
