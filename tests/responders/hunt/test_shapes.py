"""The thing that an event is about, by the service's model: where the table says nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import botocore
import pytest

from responders.hunt.classify import classify
from responders.hunt.event import read_event
from responders.hunt.shapes import MODELS
from tests.responders.hunt.records import record

REQUEST_ID = "353ea5d4-1111-2222-3333-444455556666"


@pytest.mark.parametrize(
    ("call", "request_", "response", "things"),
    [
        (
            "ec2:CreateFlowLogs",
            {"CreateFlowLogsRequest": {"ResourceType": "VPC", "ResourceId": {"content": "vpc-1"}}},
            {
                "CreateFlowLogsResponse": {
                    "requestId": REQUEST_ID,
                    "clientToken": "x",
                    "flowLogIdSet": {"item": "fl-1"},
                    "unsuccessful": "",
                }
            },
            [("ec2::FlowLogs", "fl-1")],
        ),
        (
            "ec2:CreateFlowLogs",
            None,
            {"requestId": REQUEST_ID, "flowLogIdSet": {"items": ["fl-1", "fl-2"]}},
            [("ec2::FlowLogs", "fl-1"), ("ec2::FlowLogs", "fl-2")],
        ),
        (
            "ec2:CreatePlacementGroup",
            {"groupName": "cluster"},
            {"requestId": REQUEST_ID, "_return": True},
            [("ec2::PlacementGroup", "cluster")],
        ),
        (
            "ec2:CreateEgressOnlyInternetGateway",
            None,
            {
                "requestId": REQUEST_ID,
                "egressOnlyInternetGateway": {"egressOnlyInternetGatewayId": "eigw-1"},
            },
            [("ec2::EgressOnlyInternetGateway", "eigw-1")],
        ),
        (
            "athena:CreateWorkGroup",
            {"name": "primary2", "clientRequestToken": "t"},
            None,
            [("athena::WorkGroup", "primary2")],
        ),
        (
            "monitoring:PutMetricAlarm",
            {"alarmName": "cpu", "metricName": "CPUUtilization"},
            None,
            [("monitoring::PutMetricAlarm", "cpu")],
        ),
        (
            "elasticloadbalancing:CreateRule",
            {"listenerArn": "arn:listener"},
            {"rules": [{"ruleArn": "arn:rule", "actions": [{"targetGroupArn": "arn:group"}]}]},
            [("elasticloadbalancing::Rule", "arn:rule")],
        ),
        (
            "newservice:CreateWidget",
            {"name": "w", "requestId": REQUEST_ID},
            {"requestId": REQUEST_ID, "widget": {"widgetId": "w-1"}},
            [("newservice::Widget", "w-1")],
        ),
        (
            "newservice:CreateWidget",
            None,
            {"requestId": REQUEST_ID, "clientToken": "x"},
            [("newservice::Widget", "")],
        ),
    ],
)
def test_the_thing_is_what_the_model_says_and_never_a_request(
    call: str, request_: Any, response: Any, things: list[tuple[str, str]]
) -> None:
    event = read_event(record(call, request=request_, response=response))
    assert [(one.type, one.id) for one in classify(event).things] == things


def test_services_are_called_as_their_models_are() -> None:
    data = Path(botocore.__file__).parent / "data"
    assert {m for names in MODELS.values() for m in names if not (data / m).is_dir()} == set()
