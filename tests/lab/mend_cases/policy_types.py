"""Cases of `lab.mends.policy_types`."""

from __future__ import annotations

from tests.lab.mend_cases.account import Account, case


@case
def a_declarative_policy_for_ec2_can_be_enabled_made_and_attached(account: Account) -> None:
    """Organizations API reference, CreatePolicy, `Type`."""
    organizations = account.client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    root = organizations.list_roots()["Roots"][0]["Id"]
    kind = "DECLARATIVE_POLICY_EC2"
    organizations.enable_policy_type(RootId=root, PolicyType=kind)
    made = organizations.create_policy(
        Name="baseline", Description="d", Type=kind, Content='{"ec2_attributes":{}}'
    )["Policy"]["PolicySummary"]
    organizations.attach_policy(PolicyId=made["Id"], TargetId=root)
    attached = organizations.list_policies_for_target(TargetId=root, Filter=kind)["Policies"]
    assert [one["Id"] for one in attached] == [made["Id"]]
    assert "/declarative_policy_ec2/" in made["Arn"]
