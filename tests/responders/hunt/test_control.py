"""Taking over what exists: machines, functions, pipelines, trust; followed, or where to look."""

from __future__ import annotations

from typing import Any

import pytest

from responders.hunt.event import read_event
from responders.hunt.follow import Account
from responders.hunt.given import given
from responders.hunt.lead import Confidence
from responders.hunt.look_here import look_here
from responders.hunt.subjects import Key
from responders.hunt.table import table
from tests.responders.hunt.conftest import Run
from tests.responders.hunt.records import ACCOUNT, LEAKED, OUTSIDE, arn, by_session, record

HERE = Account(ACCOUNT, "aws", lambda kind, name: arn(f"{kind}/{name}"))
MACHINE = "i-0123456789abcdef0"
ROLE = arn("role/app")


def session(role: str, name: str) -> str:
    return f"session {arn(f'assumed-role/{role}/{name}', 'sts')}"


CERTAIN = [
    ("ec2:AssociateIamInstanceProfile", {"instanceId": MACHINE}, None, f"host {MACHINE}"),
    (
        "ec2:AssociateIamInstanceProfile",
        {"AssociateIamInstanceProfileRequest": {"InstanceId": MACHINE}},
        None,
        f"host {MACHINE}",
    ),
    (
        "ec2:ReplaceIamInstanceProfileAssociation",
        {"associationId": "iip-assoc-1"},
        {"iamInstanceProfileAssociation": {"instanceId": MACHINE}},
        f"host {MACHINE}",
    ),
    ("ec2-instance-connect:SendSSHPublicKey", {"instanceId": MACHINE}, None, f"host {MACHINE}"),
    ("ssm:SendCommand", {"instanceIds": [MACHINE]}, None, f"host {MACHINE}"),
    (
        "ssm:SendCommand",
        {"targets": [{"key": "InstanceIds", "values": ["x"]}]},
        {"command": {"instanceIds": [MACHINE]}},
        f"host {MACHINE}",
    ),
    ("ssm:StartSession", {"target": MACHINE}, {"sessionId": "alice-0"}, f"host {MACHINE}"),
    ("ssm:StartSession", {"target": "mi-0123456789abcdef0"}, None, "host mi-0123456789abcdef0"),
    ("ssm:StartSession", {"target": "ecs:web_0123abcd_0123abcd-1"}, None, "host 0123abcd"),
    (
        "ssm:StartAutomationExecution",
        {"documentName": "x", "parameters": {"AutomationAssumeRole": [ROLE]}},
        {"automationExecutionId": "11-22"},
        session("app", "Automation-11-22"),
    ),
    (
        "lambda:UpdateFunctionCode20150331v2",
        {"functionName": "resize"},
        {"functionName": "resize", "role": ROLE},
        session("app", "resize"),
    ),
    (
        "lambda:UpdateFunctionConfiguration20150331v2",
        {"functionName": f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:resize", "role": ROLE},
        None,
        session("app", "resize"),
    ),
    (
        "lambda:CreateFunction20150331",
        {"functionName": "resize"},
        {"functionName": "resize", "role": ROLE},
        session("app", "resize"),
    ),
    (
        "ecs:ExecuteCommand",
        {"cluster": "web", "task": f"arn:aws:ecs:us-east-1:{ACCOUNT}:task/web/0123abcd"},
        None,
        "host 0123abcd",
    ),
    (
        "codebuild:StartBuild",
        {"projectName": "p"},
        {"build": {"id": "p:11-22", "serviceRole": ROLE}},
        session("app", "AWSCodeBuild-11-22"),
    ),
    (
        "ec2:CreateFleet",
        {"CreateFleetRequest": {"Type": "instant"}},
        {"CreateFleetResponse": {"fleetInstanceSet": {"item": {"instanceIds": {"item": MACHINE}}}}},
        f"host {MACHINE}",
    ),
    (
        "iam:CreateOpenIDConnectProvider",
        {"url": "https://x.example"},
        {"openIDConnectProviderArn": arn("oidc-provider/x.example")},
        f"identity-provider {arn('oidc-provider/x.example')}",
    ),
    (
        "iam:UpdateAssumeRolePolicy",
        {"roleName": "app", "policyDocument": "{}"},
        None,
        f"role-trust {ROLE}",
    ),
]
POSSIBLE = [
    (
        "ec2:ModifyInstanceAttribute",
        {"instanceId": MACHINE, "userData": "<sensitiveDataRemoved>"},
        None,
        f"host {MACHINE}",
    ),
    ("lambda:UpdateFunctionCode20150331v2", {"functionName": "resize"}, None, "host resize"),
    (
        "iam:UpdateSAMLProvider",
        {"sAMLProviderArn": arn("saml-provider/corp")},
        None,
        f"identity-provider {arn('saml-provider/corp')}",
    ),
    (
        "cloudformation:UpdateStack",
        {"stackName": "s", "roleARN": ROLE},
        None,
        session("app", "AWSCloudFormation"),
    ),
    (
        "glue:UpdateJob",
        {"jobName": "j", "jobUpdate": {"role": "app"}},
        None,
        session("app", "GlueJobRunnerSession"),
    ),
    (
        "sagemaker:CreateNotebookInstance",
        {"notebookInstanceName": "n", "roleArn": ROLE},
        None,
        session("app", "SageMaker"),
    ),
]


@pytest.mark.parametrize(
    ("call", "request_", "response", "label", "confidence"),
    [(*case, Confidence.CERTAIN) for case in CERTAIN]
    + [(*case, Confidence.POSSIBLE) for case in POSSIBLE],
)
def test_what_comes_under_control_is_followed(
    call: str, request_: Any, response: Any, label: str, confidence: Confidence
) -> None:
    event = read_event(record(call, request=request_, response=response, read=False))
    found = {
        f"{one.subject.kind} {one.subject.value}": one.confidence
        for one in given(event, Key(LEAKED), HERE)
        if one.subject.kind != "on-behalf"
    }
    assert found == {label: confidence}


def launch(answer: dict[str, Any], **request: Any) -> dict[str, Any]:
    item = {"instanceId": MACHINE, **answer}
    return record("ec2:RunInstances", request=request, response={"instancesSet": {"items": [item]}})


def test_a_profile_that_stands_in_the_answer_only_is_followed(chase: Run) -> None:
    """From a launch template: the request names no profile."""
    profile = {"iamInstanceProfile": {"arn": arn("instance-profile/app"), "id": "AIPAEXAMPLE"}}
    started = launch(profile, launchTemplate={"launchTemplateId": "lt-1"})
    done = record("s3:DeleteBucket", by_session("app", MACHINE, "ASIA1"), at=9)
    run = chase(Key(LEAKED), {"us-east-1": [started, done]})
    assert run.names() == ["RunInstances", "DeleteBucket"]
    assert all(lead.is_certain for lead in run.chase.leads)


def test_a_template_without_a_profile_in_the_answer_is_followed_with_doubt(chase: Run) -> None:
    started = launch({}, launchTemplate={"launchTemplateId": "lt-1"})
    run = chase(Key(LEAKED), {"us-east-1": [started]})
    assert [lead.confidence for lead in run.chase.leads[1:]] == [Confidence.POSSIBLE]
    assert chase(Key(LEAKED), {"eu-west-1": [launch({})]}).followed == set()


def test_what_comes_of_something_doubtful_is_doubtful(chase: Run) -> None:
    changed = record(
        "lambda:UpdateFunctionCode20150331v2", request={"functionName": "resize"}, read=False
    )
    made = record(
        "iam:CreateAccessKey",
        by_session("app", "resize", "ASIA1"),
        at=3,
        response={"accessKey": {"accessKeyId": "AKIANEW"}},
    )
    run = chase(Key(LEAKED), {"us-east-1": [changed, made]})
    confidence = {lead.label: lead.confidence for lead in run.chase.leads}
    assert confidence["key AKIANEW"] is Confidence.POSSIBLE


def test_a_foreign_identity_provider_leads_to_its_sessions(chase: Run) -> None:
    provider = arn("oidc-provider/evil.example")
    made = record(
        "iam:CreateOpenIDConnectProvider",
        request={"url": "https://evil.example"},
        response={"openIDConnectProviderArn": provider},
    )

    def signed_in(through: str, key: str, at: int) -> dict[str, Any]:
        who = {"type": "WebIdentityUser", "userName": "x", "identityProvider": through}
        return record(
            "sts:AssumeRoleWithWebIdentity",
            who,
            at=at,
            request={"roleArn": ROLE, "roleSessionName": "s"},
            response={"credentials": {"accessKeyId": key}},
        )

    done = record("s3:DeleteBucket", by_session("app", "s", "ASIAEVIL"), at=9)
    honest = record("s3:CreateBucket", by_session("app", "s", "ASIAGOOD"), at=9)
    good = signed_in(arn("oidc-provider/good.example"), "ASIAGOOD", 5)
    records = [made, signed_in(provider, "ASIAEVIL", 5), good, done, honest]
    run = chase(Key(LEAKED), {"us-east-1": records})
    assert run.names() == [
        "CreateOpenIDConnectProvider",
        "AssumeRoleWithWebIdentity",
        "DeleteBucket",
    ]


def test_a_foreign_trust_anchor_leads_to_its_sessions(chase: Run) -> None:
    anchor = f"arn:aws:rolesanywhere:us-east-1:{ACCOUNT}:trust-anchor/11"
    made = record(
        "rolesanywhere:CreateTrustAnchor", response={"trustAnchor": {"trustAnchorArn": anchor}}
    )
    session = record(
        "rolesanywhere:CreateSession",
        {"type": "Unknown", "principalId": "", "accountId": ACCOUNT},
        at=4,
        request={"trustAnchorArn": anchor, "roleArn": ROLE},
        response={"credentialSet": [{"credentials": {"accessKeyId": "ASIA1"}}]},
    )
    done = record("s3:DeleteBucket", by_session("app", "00aa", "ASIA1"), at=9)
    run = chase(Key(LEAKED), {"us-east-1": [made, session, done]})
    assert run.names() == ["CreateTrustAnchor", "CreateSession", "DeleteBucket"]


LOOK = [
    (
        "iam:CreatePolicyVersion",
        {"policyArn": arn("policy/dev"), "setAsDefault": True},
        f"aws iam list-entities-for-policy --policy-arn {arn('policy/dev')}",
    ),
    (
        "autoscaling:CreateAutoScalingGroup",
        {"autoScalingGroupName": "miners"},
        "aws autoscaling describe-auto-scaling-groups --auto-scaling-group-names miners "
        "--region us-east-1",
    ),
    (
        "eks:CreateAccessEntry",
        {"name": "prod", "principalArn": arn("role/app", account=OUTSIDE)},
        "aws eks list-associated-access-policies --cluster-name prod --principal-arn "
        f"{arn('role/app', account=OUTSIDE)} --region us-east-1",
    ),
    (
        "ecs:RegisterTaskDefinition",
        {"family": "web", "taskRoleArn": ROLE},
        "aws ecs list-tasks --family web --region us-east-1",
    ),
]


@pytest.mark.parametrize(("call", "request_", "command"), LOOK)
def test_what_can_t_be_followed_says_where_to_look(
    chase: Run, call: str, request_: Any, command: str
) -> None:
    run = chase(Key(LEAKED), {"us-east-1": [record(call, request=request_, read=False)]})
    (hint,) = run.chase.look_here
    assert (hint.command, hint.by) == (command, f"key {LEAKED}")
    assert hint.why
    failed = record(call, request=request_, error="AccessDenied", read=False)
    assert chase(Key(LEAKED), {"us-east-1": [failed]}).chase.look_here == []


def test_targets_by_tag_say_where_to_look_and_named_machines_do_not(chase: Run) -> None:
    answer = {"command": {"commandId": "11-22"}}
    tagged = record(
        "ssm:SendCommand",
        request={"targets": [{"key": "tag:env", "values": ["prod"]}]},
        response=answer,
    )
    named = record("ssm:SendCommand", request={"instanceIds": [MACHINE]}, response=answer, at=1)
    run = chase(Key(LEAKED), {"us-east-1": [tagged, named]})
    (hint,) = run.chase.look_here
    assert hint.event == tagged["eventID"]
    assert "--command-id 11-22" in hint.command


def test_hints_read_aws_and_take_no_words_of_an_attacker_for_options() -> None:
    for (service, name), hint in table().hints.items():
        verb = hint.command.split()[2] if hint.command else "list-"
        assert verb.startswith(("list-", "describe-", "get-")), f"{service}:{name}"
        told = dict.fromkeys(hint.members, "-x")
        event = read_event(record(f"{service}:{name}", request=told, read=False))
        found = look_here(event, "key K")
        assert found is not None
        assert found.command == "" or not hint.members
        quoted = dict.fromkeys(hint.members, "a b;$(reboot)")
        event = read_event(record(f"{service}:{name}", request=quoted, read=False))
        found = look_here(event, "key K")
        assert found is not None
        assert "$(reboot)" not in found.command.replace("'a b;$(reboot)'", "")


def test_hints_that_are_too_many_are_counted(chase: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("responders.hunt.chase.MOST_HINTS", 2)
    events = [record("events:PutTargets", at=n, request={"rule": f"r{n}"}) for n in range(5)]
    run = chase(Key(LEAKED), {"us-east-1": events})
    assert (len(run.chase.look_here), run.chase.hints_left_out) == (2, 3)
