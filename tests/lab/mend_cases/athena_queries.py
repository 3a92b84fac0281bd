"""Cases of `lab.mends.athena_queries`: what AWS does and plain moto does not."""

from __future__ import annotations

from tests.lab.mend_cases.account import REGION, Account, case, refused


@case
def a_query_needs_a_workgroup_and_a_table_and_is_answered_in_pages(account: Account) -> None:
    from moto.core.models import DEFAULT_ACCOUNT_ID

    from lab.mends.athena_queries import Table, publish

    metadata = {"Columns": [{"Name": "a"}], "Parameters": {"location": "s3://bucket/AWSLogs/"}}
    sql = 'SELECT a FROM "d"."t"'
    athena = account.client("athena")
    with refused("InvalidRequestException"):
        athena.start_query_execution(QueryString=sql, WorkGroup="primary")
    rows = [[None], ["2"], ["3"]]
    publish(DEFAULT_ACCOUNT_ID, REGION, "d.t", Table(metadata, lambda _: rows, scanned=7))
    with refused("InvalidRequestException"):
        athena.start_query_execution(QueryString=sql, WorkGroup="nobody's")
    names = {"CatalogName": "AwsDataCatalog", "DatabaseName": "d"}
    table = athena.get_table_metadata(**names, TableName="t")["TableMetadata"]
    assert table["Parameters"] == {"location": "s3://bucket/AWSLogs/"}
    with refused("MetadataException"):
        athena.get_table_metadata(**names, TableName="other")
    query = athena.start_query_execution(QueryString=sql, WorkGroup="primary")["QueryExecutionId"]
    execution = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]
    assert execution["Statistics"]["DataScannedInBytes"] == 7
    first = athena.get_query_results(QueryExecutionId=query, MaxResults=2)
    rest = athena.get_query_results(QueryExecutionId=query, NextToken=first["NextToken"])
    pages = [*first["ResultSet"]["Rows"], *rest["ResultSet"]["Rows"]]
    assert [row["Data"][0] for row in pages[1:]] == [
        {},
        {"VarCharValue": "2"},
        {"VarCharValue": "3"},
    ]
    athena.stop_query_execution(QueryExecutionId=query)
    execution = athena.get_query_execution(QueryExecutionId=query)["QueryExecution"]
    assert execution["Status"]["State"] == "CANCELLED"
