"""Cases of `lab.mends.support`: what AWS does and plain moto does not."""

from __future__ import annotations

from tests.lab.mend_cases.account import Account, case, refused


@case
def support_cases_are_the_same_at_every_endpoint_and_stay_as_they_are(account: Account) -> None:
    east, west = account.client("support"), account.client("support", "us-west-2")
    services = {s["code"]: s["categories"] for s in east.describe_services()["services"]}
    assert services["customer-account"]
    levels = [s["code"] for s in east.describe_severity_levels()["severityLevels"]]
    assert levels == ["low", "normal", "high", "urgent", "critical"]
    text = {"subject": "s", "communicationBody": "b", "serviceCode": "customer-account"}
    asked = {**text, "categoryCode": "other-account-issues"}
    made = east.create_case(**asked, severityCode="urgent")["caseId"]
    with refused("ValidationException"):
        east.create_case(**asked, severityCode="extreme")
    for client in (west, east):
        [found] = client.describe_cases()["cases"]
        assert (found["caseId"], found["severityCode"]) == (made, "urgent")
        assert found["recentCommunications"]["communications"][0]["body"] == "b"
    east.resolve_case(caseId=made)
    assert west.describe_cases()["cases"] == []
    assert [c["status"] for c in west.describe_cases(includeResolvedCases=True)["cases"]] == [
        "resolved"
    ]
