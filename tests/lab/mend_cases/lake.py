"""Cases of `lab.mends.lake`: what AWS does and plain moto does not."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from tests.lab.mend_cases.account import Account, case


@case
def a_query_of_lake_finds_what_the_trail_recorded(account: Account) -> None:
    for number in range(3):
        account.client("iam").create_user(UserName=f"lake-{number}")
    cloudtrail = account.client("cloudtrail")
    sql = "SELECT eventJson FROM store WHERE eventName = 'CreateUser'"
    query = cloudtrail.start_query(QueryStatement=sql)["QueryId"]
    assert cloudtrail.describe_query(QueryId=query)["QueryStatus"] == "FINISHED"
    first = cloudtrail.get_query_results(QueryId=query, MaxQueryResults=2)
    rest = cloudtrail.get_query_results(QueryId=query, NextToken=first["NextToken"])
    assert "NextToken" not in rest
    rows = [*first["QueryResultRows"], *rest["QueryResultRows"]]
    names = [json.loads(row[0]["eventJson"])["requestParameters"]["userName"] for row in rows]
    assert names == ["lake-0", "lake-1", "lake-2"]
    with pytest.raises(ClientError, match="QueryIdNotFound"):
        cloudtrail.get_query_results(QueryId="00000000-0000-0000-0000-000000000000")
