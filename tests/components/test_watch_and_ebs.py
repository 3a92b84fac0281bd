"""The watch for new VPCs, and the account's default encryption."""

from __future__ import annotations

import json

from lab.program import Program
from tests.preparation import ACCOUNT, decide, policy, prepare

EVENTS = "events.amazonaws.com"


def watched(target: str, **config: object) -> Program:
    return prepare({"watch": target, **config})


def pattern(program: Program) -> dict[str, object]:
    found: dict[str, object] = json.loads(
        program.named("watch-eu-west-1-rule").inputs["eventPattern"]
    )
    return found


def test_successful_calls_that_make_a_vpc_match() -> None:
    assert pattern(watched("queue")) == {
        "source": ["aws.ec2"],
        "detail-type": ["AWS API Call via CloudTrail"],
        "detail": {
            "eventSource": ["ec2.amazonaws.com"],
            "eventName": ["CreateVpc", "CreateDefaultVpc"],
            "errorCode": [{"exists": False}],
        },
    }


def test_a_queue_keeps_them_encrypted_for_14_days_and_only_the_rule_may_send() -> None:
    program = watched("queue")
    queue = program.named("watch-eu-west-1-queue")
    rule = program.named("watch-eu-west-1-rule").outputs["arn"]
    assert queue.inputs["sqsManagedSseEnabled"] is True
    assert queue.inputs["messageRetentionSeconds"] == 14 * 24 * 3600
    arn = queue.outputs["arn"]
    assert program.named("watch-eu-west-1-target").inputs["arn"] == arn
    may = policy(program.named("watch-eu-west-1-queue-policy"))
    assert decide(may, EVENTS, "sqs:SendMessage", arn, aws__SourceArn=rule) == "allow"
    assert decide(may, EVENTS, "sqs:SendMessage", arn, aws__SourceArn=f"{rule}-x") == "nothing"
    admin = f"arn:aws:iam::{ACCOUNT}:role/admin"
    plain = {"aws__SecureTransport": "false"}
    assert decide(may, admin, "sqs:ReceiveMessage", arn, **plain) == "deny"
    assert program.exports["watches"]["eu-west-1"] == arn
    assert program.exports["watches"].keys() == {"eu-west-1", "us-east-1"}


def test_a_topic_is_encrypted_with_a_key_that_eventbridge_may_use_and_mails() -> None:
    program = watched("topic", watchEmails=["security@example.com"])
    topic = program.named("watch-eu-west-1-topic")
    key = program.named("key-eu-west-1-key")
    assert topic.inputs["kmsMasterKeyId"] == key.outputs["arn"]
    assert decide(policy(key), EVENTS, "kms:GenerateDataKey", "*") == "allow"
    assert decide(policy(prepare().named(key.name)), EVENTS, "kms:Decrypt", "*") == "nothing"
    [mail] = [
        s.inputs
        for s in program.of_type("aws:sns/topicSubscription:TopicSubscription")
        if s.inputs["region"] == "eu-west-1"
    ]
    assert (mail["protocol"], mail["endpoint"]) == ("email", "security@example.com")
    assert mail["topic"] == topic.outputs["arn"]
    may, arn = policy(program.named("watch-eu-west-1-topic-policy")), topic.outputs["arn"]
    assert decide(may, EVENTS, "sns:Publish", arn) == "allow"
    assert decide(may, "sms-voice.amazonaws.com", "sns:Publish", arn) == "nothing"
    plain = {"aws__SecureTransport": "false"}
    assert decide(may, EVENTS, "sns:Publish", arn, **plain) == "deny"


def test_off_by_default() -> None:
    program = prepare()
    assert not program.of_type("aws:cloudwatch/eventRule:EventRule")
    assert not program.of_type("aws:ebs/encryptionByDefault:EncryptionByDefault")
    assert program.exports["watches"] == {}


def test_new_volumes_get_the_evidence_key_of_their_region_and_leaving_keeps_it_so() -> None:
    program = prepare({"ebsDefaultEncryption": True})
    for region in ("eu-west-1", "us-east-1"):
        default = program.named(f"ebs-{region}-default")
        key = program.named(f"ebs-{region}-key")
        assert default.inputs == {"region": region, "enabled": True}
        assert key.inputs["keyArn"] == program.named(f"key-{region}-key").outputs["arn"]
        assert key.inputs["region"] == region
        assert default.retain_on_delete
        assert key.retain_on_delete
