"""The roles: what each may do, who may assume it, and that it can do no more."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

import pulumi
import pytest

from components.iam import POLICY_LIMIT
from components.responder_role import KEY_STAND_IN
from lab.program import Program
from responders.permissions import Duty, declared
from tests.preparation import ACCOUNT, EXTERNAL_ID, decide, imagined, policy, prepare, user

BUCKET = f"arn:aws:s3:::cordon-vault-{ACCOUNT}-us-east-1"
EVIDENCE = f"{BUCKET}/cases/IR-7/run/evidence/console.txt"
TOOL = f"{BUCKET}/tools/0123/avml"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/Boundary"
THROUGH_S3 = {"kms__ViaService": "s3.us-east-1.amazonaws.com"}


@cache
def program() -> Program:
    return prepare({"stacks": ["account", "forensics"], "breakGlass": [user("carol")]})


def trust(name: str) -> list[dict[str, Any]]:
    return policy(program().named(name), "assumeRolePolicy")


def inline(name: str) -> list[dict[str, Any]]:
    return policy(program().named(name))


def key_arn() -> str:
    return str(program().exports["vault"]["keyArn"])


def responder_statements() -> list[dict[str, Any]]:
    policies = [
        p for p in program().of_type("aws:iam/policy:Policy") if p.name.startswith("responder-")
    ]
    return [s for p in policies for s in policy(p)]


def as_list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def test_every_role_is_under_the_kit_s_path_and_tagged() -> None:
    roles = program().of_type("aws:iam/role:Role")
    assert {r.inputs["name"] for r in roles} == {
        "cordon-responder",
        "cordon-analyst",
        "cordon-break-glass",
        "cordon-workstation",
        "cordon-isolated-dark",
        "cordon-isolated-channel",
        "cordon-flow-logs",
    }
    assert all(r.inputs["path"] == "/cordon/" for r in roles)


UNSET = ("{evidence_account}", "{evidence_organization}", "{examiner}", "{trail_key}")
"""What is not configured in these stacks: what names it is left out."""


def test_the_responder_may_do_what_the_actions_declare_and_nothing_more() -> None:
    facts = {
        "{partition}": "aws",
        "{account}": ACCOUNT,
        "{vault}": BUCKET.removeprefix("arn:aws:s3:::"),
        "{vault_key}": key_arn(),
    }

    def filled(text: str) -> str:
        for name, value in facts.items():
            text = text.replace(name, value)
        return text

    wanted = {
        (
            action,
            filled(on),
            filled(json.dumps({k: dict(v) for k, v in p.when.items()}, sort_keys=True)),
        )
        for p in declared()
        for action in p.actions
        for on in p.on
        if not any(word in f"{p.on}{p.when}" for word in UNSET)
    }
    given = {
        (action, on, json.dumps(s.get("Condition", {}), sort_keys=True))
        for s in responder_statements()
        for action in s["Action"]
        for on in as_list(s["Resource"])
    }
    assert len(wanted) > 20
    assert given == wanted


def test_the_responder_s_policies_are_attached_and_within_iam_s_limits() -> None:
    policies = {
        p.outputs["arn"]: p
        for p in program().of_type("aws:iam/policy:Policy")
        if p.name.startswith("responder-")
    }
    attached = program().of_type("aws:iam/rolePolicyAttachment:RolePolicyAttachment")
    assert {a.inputs["policyArn"] for a in attached} == policies.keys()
    assert {a.inputs["role"] for a in attached} == {"cordon-responder"}
    assert 1 <= len(policies) <= 10
    for declared_policy in policies.values():
        assert declared_policy.inputs["path"] == "/cordon/"
        assert len(declared_policy.inputs["policy"].replace(" ", "")) <= POLICY_LIMIT
        assert KEY_STAND_IN not in declared_policy.inputs["policy"]


def test_in_other_partitions_the_responder_s_resources_are_theirs() -> None:
    for partition in ("aws-cn", "aws-us-gov"):
        text = json.dumps(
            [p.inputs for p in prepare(mocks=imagined(partition)).of_type("aws:iam/policy:Policy")]
        )
        assert f"arn:{partition}:ec2:" in text
        assert "arn:aws:" not in text


@pytest.mark.parametrize(("role", "hours"), [("responder", 4), ("analyst", 4), ("break-glass", 1)])
def test_people_assume_their_roles_with_mfa(role: str, hours: int) -> None:
    who = user("carol" if role == "break-glass" else "alice")
    arn = f"arn:aws:iam::{ACCOUNT}:role/cordon/cordon-{role}"
    mfa = {"aws__MultiFactorAuthPresent": "true"}
    assert decide(trust(f"{role}-role"), who, "sts:AssumeRole", arn, **mfa) == "allow"
    assert decide(trust(f"{role}-role"), who, "sts:AssumeRole", arn) == "nothing"
    assert program().named(f"{role}-role").inputs["maxSessionDuration"] == hours * 3600


def test_break_glass_demands_mfa_even_where_the_others_do_not() -> None:
    made = prepare(
        {
            "breakGlass": [user("carol")],
            "requireMfa": False,
            "externalId": EXTERNAL_ID,
            "sessionHours": 12,
        }
    )
    condition = policy(made.named("break-glass-role"), "assumeRolePolicy")[0]["Condition"]
    assert condition == {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    assert made.named("break-glass-role").inputs["maxSessionDuration"] == 3600
    trusted = policy(made.named("responder-role"), "assumeRolePolicy")[0]["Condition"]
    assert trusted == {"StringEquals": {"sts:ExternalId": EXTERNAL_ID}}
    assert made.named("responder-role").inputs["maxSessionDuration"] == 12 * 3600


def test_without_break_glass_people_there_is_no_such_role() -> None:
    assert "breakGlassRole" not in prepare().exports


def test_the_analyst_reads_evidence_and_no_more() -> None:
    may = inline("analyst-policy")
    who = f"arn:aws:iam::{ACCOUNT}:role/cordon/cordon-analyst"
    assert decide(may, who, "s3:GetObjectVersion", EVIDENCE) == "allow"
    assert decide(may, who, "s3:ListBucketVersions", BUCKET) == "allow"
    assert decide(may, who, "kms:Decrypt", key_arn(), **THROUGH_S3) == "allow"
    assert decide(may, who, "kms:Decrypt", key_arn()) == "nothing"
    assert decide(may, who, "s3:GetObject", TOOL) == "nothing"
    for action in ("s3:PutObject", "s3:DeleteObject", "s3:PutObjectRetention"):
        assert decide(may, who, action, EVIDENCE) == "nothing"
    actions = {a for s in may for a in as_list(s["Action"])}
    entering = {"ssm:StartSession", "ssm:ResumeSession", "ssm:TerminateSession"}
    changing = actions - entering
    assert all(a.split(":")[1].startswith(("Get", "List", "Decrypt")) for a in changing)


def test_the_analyst_enters_workstations_and_no_other_machine() -> None:
    may = inline("analyst-policy")
    machine = f"arn:aws:ec2:us-east-1:{ACCOUNT}:instance/i-0abc"
    workstation = {"aws__ResourceTag/cordon:purpose": "workstation"}
    kit = {"aws__ResourceTag/cordon:kit": "0.1.0"}
    assert decide(may, "", "ssm:StartSession", machine, **workstation, **kit) == "allow"
    assert decide(may, "", "ssm:StartSession", machine, **workstation) == "nothing"
    assert decide(may, "", "ssm:StartSession", machine, **kit) == "nothing"
    document = f"arn:aws:ssm:us-east-1:{ACCOUNT}:document/"
    assert decide(may, "", "ssm:StartSession", f"{document}SSM-SessionManagerRunShell") == "allow"
    assert decide(may, "", "ssm:StartSession", f"{document}theirs") == "nothing"


def test_analysts_of_their_own_keep_responders_out_of_that_role() -> None:
    made = prepare({"analysts": [user("bob")]})
    [statement] = policy(made.named("analyst-role"), "assumeRolePolicy")
    assert statement["Principal"] == {"AWS": [user("bob")]}


def test_break_glass_lifts_what_the_vault_s_policy_locks_and_reads_nothing() -> None:
    may = inline("break-glass-policy")
    who = f"arn:aws:iam::{ACCOUNT}:role/cordon/cordon-break-glass"
    locked = next(s for s in policy(program().named("vault-policy")) if s["Sid"] == "Locked")
    for action in locked["Action"]:
        target = BUCKET if "Bucket" in action else EVIDENCE
        assert decide(may, who, action, target) == "allow"
    assert decide(may, who, "s3:GetObject", EVIDENCE) == "nothing"
    assert decide(may, who, "s3:DeleteObject", "arn:aws:s3:::another/x") == "nothing"


def test_the_workstation_reads_cases_and_tools_and_adds_evidence() -> None:
    may = inline("workstation-policy")
    who = f"arn:aws:iam::{ACCOUNT}:role/cordon/cordon-workstation"
    assert decide(may, who, "s3:GetObject", EVIDENCE) == "allow"
    assert decide(may, who, "s3:GetObject", TOOL) == "allow"
    assert decide(may, who, "s3:PutObject", EVIDENCE) == "allow"
    assert decide(may, who, "s3:PutObject", TOOL) == "nothing"
    journal = f"{BUCKET}/cases/IR-7/run/journal/1.json"
    assert decide(may, who, "s3:PutObject", journal) == "nothing"
    assert decide(may, who, "kms:GenerateDataKey", key_arn(), **THROUGH_S3) == "allow"
    assert decide(may, who, "kms:GenerateDataKey", key_arn()) == "nothing"
    assert decide(may, who, "ssmmessages:OpenDataChannel", "*") == "allow"
    assert decide(may, who, "ec2:RunInstances", "*") == "nothing"


def test_a_dark_instance_may_do_nothing_and_a_channel_one_only_talk_to_systems_manager() -> None:
    who = f"arn:aws:iam::{ACCOUNT}:role/cordon/cordon-isolated"
    for action in ("ssmmessages:OpenDataChannel", "s3:GetObject", "sts:GetCallerIdentity"):
        assert decide(inline("isolated-dark-policy"), who, action, "*") == "deny"
    channel = inline("isolated-channel-policy")
    assert decide(channel, who, "ssmmessages:OpenDataChannel", "*") == "allow"
    assert decide(channel, who, "ssm:UpdateInstanceInformation", "*") == "allow"
    for action in ("ssm:GetParameter", "s3:GetObject", "logs:PutLogEvents", "ssm:SendCommand"):
        assert decide(channel, who, action, "*") == "nothing"


@pytest.mark.parametrize("kind", ["dark", "channel"])
def test_a_policy_attached_later_adds_nothing_to_an_isolated_instance(kind: str) -> None:
    role = program().named(f"isolated-{kind}-role")
    boundary = program().named(f"isolated-{kind}-boundary")
    assert role.inputs["permissionsBoundary"] == boundary.outputs["arn"]
    assert policy(boundary) == inline(f"isolated-{kind}-policy")
    profile = program().named(f"isolated-{kind}-profile")
    assert profile.inputs["role"] == role.inputs["name"]


def test_instances_and_flow_logs_assume_their_roles_and_nobody_else() -> None:
    for name in ("workstation", "isolated-dark", "isolated-channel"):
        [statement] = trust(f"{name}-role")
        assert statement["Principal"] == {"Service": "ec2.amazonaws.com"}
    [statement] = trust("flow-logs-role")
    assert statement["Principal"] == {"Service": "vpc-flow-logs.amazonaws.com"}
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": ACCOUNT}}


def test_flow_logs_are_written_to_the_kit_s_groups_only() -> None:
    may, who = inline("flow-logs-policy"), "vpc-flow-logs.amazonaws.com"
    groups = f"arn:aws:logs:eu-west-1:{ACCOUNT}:log-group:"
    ours = f"{groups}/cordon/forensic-vpc-1:log-stream:a"
    assert decide(may, who, "logs:PutLogEvents", ours) == "allow"
    assert decide(may, who, "logs:PutLogEvents", f"{groups}/app:log-stream:a") == "nothing"
    assert decide(may, who, "logs:DeleteLogGroup", ours) == "nothing"


def test_an_organization_s_boundary_is_on_every_role() -> None:
    config = {
        "stacks": ["account", "forensics"],
        "permissionsBoundary": BOUNDARY,
        "breakGlass": [user("carol")],
    }
    made = prepare(config)
    roles = made.of_type("aws:iam/role:Role")
    assert len(roles) == 7
    assert {r.inputs["permissionsBoundary"] for r in roles} == {BOUNDARY}


VICTIM, STRANGER, MEMBERS = "222233334444", "333344445555", "o-exampleorg1"
EXAMINES = {"evidenceAccounts": [VICTIM], "trailKeys": [f"arn:aws:kms:us-east-1:{VICTIM}:key/t"]}
EXAMINES_ALL = {"evidenceAccounts": ["organization"], "organizationId": MEMBERS}
SHARED = "arn:aws:ec2:us-east-1::snapshot/snap-0abc"
THROUGH_EC2 = {"kms__ViaService": "ec2.us-east-1.amazonaws.com"}
IN_ORGANIZATION = {"aws__PrincipalOrgID": MEMBERS}
TRAIL = {
    **THROUGH_S3,
    "kms__EncryptionContext:aws:cloudtrail:arn": "arn:aws:cloudtrail:x:1:trail/t",
}


def a_key(account: str, name: str = "e") -> str:
    return f"arn:aws:kms:us-east-1:{account}:key/{name}"


@cache
def responder_of(examines: str) -> tuple[dict[str, Any], ...]:
    config = {"": {}, "named": EXAMINES, "organization": EXAMINES_ALL}[examines]
    declared_policies = prepare(config).of_type("aws:iam/policy:Policy")
    return tuple(s for p in declared_policies if p.name.startswith("responder-") for s in policy(p))


@pytest.mark.parametrize(
    ("action", "resource", "context", "nobody", "named", "organization"),
    [
        # the victim's evidence, its key, and what only another account could want
        ("ec2:CreateVolume", SHARED, {"ec2__Owner": VICTIM}, False, True, True),
        ("ec2:CreateVolume", SHARED, {"ec2__Owner": STRANGER}, False, False, True),
        ("ec2:CreateVolume", SHARED, {"ec2__Owner": ACCOUNT}, False, False, False),
        ("ec2:CreateVolume", SHARED, {}, False, False, False),
        ("kms:Decrypt", a_key(VICTIM), THROUGH_EC2, False, True, True),
        ("kms:Decrypt", a_key(VICTIM), {}, False, False, False),
        ("kms:Decrypt", a_key(STRANGER), THROUGH_EC2, False, False, True),
        (
            "kms:CreateGrant",
            a_key(VICTIM),
            {**THROUGH_EC2, "kms__GrantIsForAWSResource": "true"},
            False,
            True,
            True,
        ),
        (
            "kms:CreateGrant",
            a_key(VICTIM),
            {**THROUGH_EC2, "kms__GrantIsForAWSResource": "false"},
            False,
            False,
            False,
        ),
        ("ebs:GetSnapshotBlock", SHARED, {}, False, True, True),
        ("kms:Decrypt", a_key(VICTIM, "t"), TRAIL, False, True, False),
        ("kms:Decrypt", a_key(STRANGER, "t"), TRAIL, False, False, False),
    ],
)
def test_evidence_of_other_accounts_is_examined_where_that_is_configured(
    action: str,
    resource: str,
    context: dict[str, str],
    nobody: bool,
    named: bool,
    organization: bool,
) -> None:
    answers = []
    for examines in ("", "named", "organization"):
        of_key = {"aws__ResourceOrgID": MEMBERS} if action.startswith("kms:") else {}
        keys = {**context, **of_key, **IN_ORGANIZATION, "aws__PrincipalAccount": ACCOUNT}
        statements = [*responder_of(examines)]
        answers.append(decide(statements, "", action, resource, **keys) == "allow")
    assert answers == [nobody, named, organization]


def test_the_evidence_key_lets_the_examining_account_in_and_no_other() -> None:
    """Both sides must allow it: the key of the victim, and the responder who examines."""
    key = prepare({"forensicAccount": VICTIM}).named("key-us-east-1-key")
    root = f"arn:aws:iam::{VICTIM}:root"
    statements = policy(key)
    examiner = f"arn:aws:iam::{VICTIM}:role/cordon/cordon-responder"
    granted = {**THROUGH_EC2, "kms__GrantIsForAWSResource": "true"}
    for who, says in ((examiner, "allow"), (f"arn:aws:iam::{VICTIM}:role/app", "deny")):
        answer = decide(statements, root, "kms:CreateGrant", "*", aws__PrincipalArn=who, **granted)
        assert answer == says, who
    for action, more in (
        ("kms:Decrypt", {}),
        ("kms:ReEncryptFrom", {}),
    ):
        through = {**THROUGH_EC2, **more}
        assert decide(policy(key), root, action, "*", **through) == "allow", action
        assert decide(policy(key), root, action, "*", **more) != "allow", action
        stranger = f"arn:aws:iam::{STRANGER}:root"
        assert decide(policy(key), stranger, action, "*", **through) == "nothing", action


def test_the_responder_s_policies_are_split_by_duty() -> None:
    policies = {
        p.inputs["name"]: {a for s in policy(p) for a in as_list(s["Action"])}
        for p in program().of_type("aws:iam/policy:Policy")
        if p.name.startswith("responder-")
    }
    contain, preserve, examine = (
        set().union(*(a for n, a in policies.items() if f"-{duty}" in n)) for duty in Duty
    )
    assert {"ec2:ModifyNetworkInterfaceAttribute", "iam:PutRolePolicy"} <= contain
    assert {"ec2:CreateSnapshots", "s3:PutObject", "ec2:CopySnapshot"} <= preserve
    assert {"ec2:RunInstances", "ec2:CreateVolume", "cloudtrail:LookupEvents"} <= examine
    assert not {"ec2:RunInstances", "ec2:CopySnapshot"} & contain


def test_permissions_that_do_not_fit_are_a_message_at_preview() -> None:
    keys = [f"arn:aws:kms:us-east-1:{n:012d}:key/{'0' * 36}" for n in range(200)]
    with pytest.raises(pulumi.RunError, match=r"can't be declared: .* a policy takes 6144"):
        prepare({"trailKeys": keys}, preview=True)
