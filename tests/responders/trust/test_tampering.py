"""What an administrator of the account may write does not steer a response.

Everything is tampered with at once, so that each run judges every field and every prepared thing;
what was not used is seen in the calls: none that changes anything holds what the attacker wrote.
"""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any

import pytest

from contract import (
    DARK_PROFILE,
    IAM_PATH,
    MANIFEST_PARAMETER,
    TAG_PURPOSE,
    DocumentPin,
    Manifest,
    Purpose,
    Rule,
    group_rules,
    rule_permission,
)
from lab.calls import Calls
from lab.faults import Faults
from responders import prepared
from responders.aws import Access, Aws
from responders.trust import pin
from responders.trust.trust import Trust
from tests.responders.conftest import REGION, VAULT, Cordon, Scenario
from tests.responders.pinning import ACCOUNT, pin_account, unpin
from tests.responders.profiles import give, prepare_isolated, profile_of

INSTANCE = ("--case", "IR-7", "--region", REGION, "--dwell", "0", "--json")
ATTACKER = "444455556666"
EVIL_KEY = f"arn:aws:kms:{REGION}:{ATTACKER}:key/evil"
TAMPERED = Manifest(
    vault_bucket="cordon-vault-evil",
    vault_region="eu-central-1",
    vault_key_arn=EVIL_KEY,
    key_arn=EVIL_KEY,
    forensic_account=ATTACKER,
    forensic_vpc="vpc-evil",
    subnets={"eu-west-1a": "subnet-evil"},
    workstation_group="sg-evil",
    endpoint_group="sg-evil",
    workstation_profile="evil",
    isolated_profiles={"dark": "evil"},
    documents={"cordon-memory": DocumentPin("evil", "0" * 64)},
    responder_cidrs=("0.0.0.0/0", "::/0"),
    kit="9.9.9",
    schema=1,
)
FIELDS = [field.name for field in fields(Manifest) if field.name != "schema"]
OPENED = Rule("-1", 0, 0, "0.0.0.0/0")


def write(scenario: Scenario, manifest: Manifest, region: str = REGION) -> None:
    scenario.lab.client("ssm", region).put_parameter(
        Name=MANIFEST_PARAMETER, Type="String", Value=manifest.to_json(), Overwrite=True
    )


def read(scenario: Scenario) -> Manifest:
    answer = scenario.client("ssm").get_parameter(Name=MANIFEST_PARAMETER)
    return Manifest.from_json(answer["Parameter"]["Value"])


def rules_of(scenario: Scenario, group: str) -> Any:
    groups = prepared.groups(Aws(Access(region=REGION)), REGION)
    return next(g.rules for g in groups if g.id == group)


def stranger(scenario: Scenario) -> str:
    """A group with exact rules, tagged as the kit's, before it by id or not."""
    ec2 = scenario.client("ec2")
    group = ec2.create_security_group(GroupName="evil", Description="x", VpcId=scenario.vpc)
    egress = ec2.describe_security_groups(GroupIds=[group["GroupId"]])["SecurityGroups"][0]
    ec2.revoke_security_group_egress(
        GroupId=group["GroupId"], IpPermissions=egress["IpPermissionsEgress"]
    )
    tags = [{"Key": TAG_PURPOSE, "Value": "isolate"}, {"Key": "cordon:kit", "Value": "0.1.0"}]
    ec2.create_tags(Resources=[group["GroupId"]], Tags=tags)
    return str(group["GroupId"])


def open_group(scenario: Scenario, *rules: Rule) -> None:
    """Opens the isolate group both ways, IPv4 and IPv6."""
    ec2 = scenario.client("ec2")
    ec2.associate_vpc_cidr_block(VpcId=scenario.vpc, AmazonProvidedIpv6CidrBlock=True)
    for rule in rules or (OPENED, Rule("-1", 0, 0, "::/0")):
        for way in ("ingress", "egress"):
            getattr(ec2, f"authorize_security_group_{way}")(
                GroupId=scenario.isolate, IpPermissions=[rule_permission(rule)]
            )


def isolated_by(scenario: Scenario) -> str:
    """The one group that all interfaces have now, which lets nothing in or out."""
    [[group]] = {tuple(groups) for groups in scenario.groups().values()}
    assert rules_of(scenario, group) == group_rules(Purpose.ISOLATE)
    return group


def assert_nothing_evil_was_used(calls: Calls, *more: str) -> None:
    """Nor was any rule added to a group that is to isolate."""
    assert calls.mutating
    evil = ("evil", ATTACKER, "0.0.0.0/0 ssh", *more)
    for call in calls.mutating:
        if "Revoke" in call.operation or call.service == "ssm":
            continue
        text = json.dumps(dict(call.params), default=str)
        assert not any(word in text for word in evil), (call.action, text)
    for call in calls.of("ec2", "AuthorizeSecurityGroupIngress", "AuthorizeSecurityGroupEgress"):
        assert OPENED.peer in str(call.params) or "::/0" in str(call.params)
        assert _is_to_untrack(call.params["GroupId"])


def _is_to_untrack(group_id: str) -> bool:
    groups = prepared.groups(Aws(Access(region=REGION)), REGION)
    return any(g.id == group_id and g.purpose == Purpose.UNTRACK for g in groups)


@pytest.fixture
def victim(scenario: Scenario) -> Scenario:
    """With a profile, the isolated profiles, and a second region that agrees."""
    prepare_isolated(scenario)
    give_role(scenario)
    region = "eu-central-1"
    kms = scenario.lab.client("kms", region)
    key = kms.create_key()["KeyMetadata"]["Arn"]
    kms.create_alias(AliasName="alias/cordon-evidence", TargetKeyId=key)
    write(scenario, replace(read(scenario), key_arn=key), region)
    return scenario


def give_role(scenario: Scenario) -> None:
    iam = scenario.client("iam")
    iam.create_role(RoleName="app", AssumeRolePolicyDocument='{"Statement": []}')
    iam.create_instance_profile(InstanceProfileName="app")
    iam.add_role_to_instance_profile(InstanceProfileName="app", RoleName="app")
    give(scenario, "app")


@pytest.mark.parametrize("name", FIELDS)
def test_with_a_pin_each_field_is_the_pinned_one_and_the_other_is_named(
    scenario: Scenario, name: str
) -> None:
    true = read(scenario)
    write(scenario, replace(true, **{name: getattr(TAMPERED, name)}))
    judged = Trust(Aws(Access(region=REGION)), REGION).judgement()
    assert judged.manifest == true
    [line] = judged.tampering
    assert f"says {name} " in line
    assert judged.notes == ()


@pytest.mark.parametrize("pinned", [True, False], ids=["pinned", "unpinned"])
def test_everything_tampered_with_steers_nothing(
    victim: Scenario, cordon: Cordon, calls: Calls, pinned: bool
) -> None:
    write(victim, TAMPERED)
    fake = stranger(victim)
    open_group(victim)
    if not pinned:
        unpin()
    calls.clear()
    answer = cordon("instance", victim.instance, *INSTANCE)
    assert (answer.code, answer.document["outcome"]) == (3, "contained"), answer.err
    assert isolated_by(victim) == victim.isolate
    assert_nothing_evil_was_used(calls, fake)
    assert profile_of(victim) == DARK_PROFILE
    told = answer.step("verify-preparation")
    assert told["status"] == "failed"
    lines = told["reason"] + " ".join(answer.document["residual_risks"])
    shared = {"vault_bucket", "vault_region", "forensic_account", "responder_cidrs", "kit"}
    for name in FIELDS if pinned else shared:
        assert name in lines
    assert fake in lines
    assert victim.isolate in lines
    assert ("nothing is pinned" in lines) is not pinned
    evidence = answer.document["evidence"]
    if pinned:
        assert evidence["vault"].startswith(f"s3://{VAULT}/")
    else:
        assert evidence["vault"] == ""
        assert "disagree on vault_bucket" in evidence["reason"]
    assert cordon("instance", victim.instance, *INSTANCE).document["outcome"] == "already-contained"


def test_an_account_as_pinned_is_complete_and_one_unpinned_too(
    victim: Scenario, cordon: Cordon
) -> None:
    answer = cordon("instance", victim.instance, *INSTANCE)
    assert answer.code == 0, answer.err
    assert answer.step("verify-preparation")["status"] == "already"
    assert not any("pin" in risk for risk in answer.document["residual_risks"])
    assert cordon("release", victim.instance, "--case", "IR-7", "--json").code in (0, 3)
    unpin()
    again = cordon("instance", victim.instance, *INSTANCE[2:], "--case", "IR-8")
    assert again.code == 0, again.err
    [risk] = [r for r in again.document["residual_risks"] if "nothing is pinned" in r]
    assert "cordon trust import" in risk


@pytest.mark.parametrize("pinned", [True, False], ids=["pinned", "unpinned"])
def test_an_opened_group_that_can_not_be_closed_is_replaced(
    scenario: Scenario, cordon: Cordon, faults: Faults, calls: Calls, pinned: bool
) -> None:
    open_group(scenario)
    if not pinned:
        unpin()
    calls.clear()
    faults.deny("ec2", "RevokeSecurityGroupIngress")
    answer = cordon("instance", scenario.instance, *INSTANCE)
    assert answer.document["outcome"] == "contained", answer.err
    assert answer.code == (3 if pinned else 0)
    assert isolated_by(scenario) != scenario.isolate
    assert_nothing_evil_was_used(calls)
    assert any(
        f"{scenario.isolate} (isolate) could not be repaired" in risk
        for risk in answer.document["residual_risks"]
    )
    again = cordon("instance", scenario.instance, *INSTANCE)
    assert again.document["outcome"] == "already-contained"
    assert len(calls.of("ec2", "CreateSecurityGroup")) == 1


def test_ssh_that_nothing_pins_is_neither_used_nor_taken_away(
    scenario: Scenario, cordon: Cordon
) -> None:
    ssh = Rule("tcp", 22, 22, "198.51.100.0/24")
    scenario.client("ec2").authorize_security_group_ingress(
        GroupId=scenario.isolate, IpPermissions=[rule_permission(ssh)]
    )
    write(scenario, replace(read(scenario), responder_cidrs=(ssh.peer,)))
    unpin()
    answer = cordon("instance", scenario.instance, *INSTANCE)
    assert answer.code == 0, answer.err
    assert isolated_by(scenario) != scenario.isolate
    assert rules_of(scenario, scenario.isolate).ingress == (ssh,)
    pin_account(scenario.lab, REGION)
    cordon("release", scenario.instance, "--case", "IR-7")
    cordon("instance", scenario.instance, *INSTANCE[2:], "--case", "IR-8")
    assert set(map(tuple, scenario.groups().values())) == {(scenario.isolate,)}


@pytest.mark.parametrize("harm", ["another role", "a policy attached", "an inline policy"])
def test_an_isolated_profile_that_gives_more_is_not_given(
    victim: Scenario, cordon: Cordon, harm: str
) -> None:
    iam = victim.client("iam")
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    admin = {"Version": "2012-10-17", "Statement": [everything]}
    match harm:
        case "another role":
            iam.remove_role_from_instance_profile(
                InstanceProfileName=DARK_PROFILE, RoleName=DARK_PROFILE
            )
            iam.add_role_to_instance_profile(InstanceProfileName=DARK_PROFILE, RoleName="app")
        case "a policy attached":
            policy = iam.create_policy(
                PolicyName="admin", Path=IAM_PATH, PolicyDocument=json.dumps(admin)
            )["Policy"]["Arn"]
            iam.attach_role_policy(RoleName=DARK_PROFILE, PolicyArn=policy)
        case "an inline policy":
            iam.put_role_policy(
                RoleName=DARK_PROFILE, PolicyName="x", PolicyDocument=json.dumps(admin)
            )
    answer = cordon("instance", victim.instance, *INSTANCE)
    assert (answer.code, answer.document["outcome"]) == (3, "contained")
    assert profile_of(victim) is None
    assert DARK_PROFILE in answer.step("verify-preparation")["reason"]


def test_a_damaged_pin_is_not_the_same_as_none(
    scenario: Scenario, cordon: Cordon, calls: Calls
) -> None:
    pin.file_of(ACCOUNT).write_text("{")
    answer = cordon("instance", scenario.instance, *INSTANCE)
    assert (answer.code, answer.document["outcome"]) == (3, "contained")
    assert isolated_by(scenario) == scenario.isolate
    assert "can't be used" in answer.step("verify-preparation")["reason"]
    assert calls.of("s3") == []


@pytest.mark.parametrize("command", ["user", "role", "key"])
def test_the_other_commands_name_it_too(
    victim: Scenario, cordon: Cordon, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_REGION", REGION)
    monkeypatch.setenv("AWS_DEFAULT_REGION", REGION)
    iam = victim.client("iam")
    iam.create_user(UserName="mallory")
    key = iam.create_access_key(UserName="mallory")["AccessKey"]["AccessKeyId"]
    write(victim, TAMPERED)
    target = {"user": "mallory", "role": "app", "key": key}[command]
    more = ("--no-hunt",) if command == "key" else ()
    answer = cordon(command, target, "--case", "IR-7", "--json", *more)
    assert (answer.code, answer.document["outcome"]) == (3, "contained"), answer.err
    assert "vault_bucket" in answer.step("verify-preparation")["reason"]
    assert answer.document["evidence"]["vault"].startswith(f"s3://{VAULT}/")


@pytest.mark.parametrize("pinned", [True, False], ids=["pinned", "unpinned"])
def test_ready_names_a_second_group_and_wide_networks(
    scenario: Scenario, cordon: Cordon, pinned: bool
) -> None:
    fake = stranger(scenario)
    ssh = Rule("tcp", 22, 22, "0.0.0.0/0")
    scenario.client("ec2").authorize_security_group_ingress(
        GroupId=scenario.isolate, IpPermissions=[rule_permission(ssh)]
    )
    write(scenario, replace(read(scenario), responder_cidrs=("0.0.0.0/0",)))
    if not pinned:
        unpin()
    checks = cordon("ready", "--regions", REGION, "--json").document["checks"]
    [told] = [c for c in checks if c["id"] == "groups" and c["vpc"] == scenario.vpc]
    assert told["status"] == "fail"
    assert fake in told["detail"]
    assert scenario.isolate in told["detail"]
    assert "pulumi up --refresh" in told["fix"]
