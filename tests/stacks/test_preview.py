"""A first `pulumi preview` knows no id and no computed attribute, and plans what `up` then does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from pulumi.output import Unknown
from pulumi.runtime.mocks import MockResourceArgs

from lab.plain import PlainMocks
from lab.record import DEPLOYMENTS
from tests.preparation import EXTERNAL_ID, PARTITIONS, imagined, prepare, user


class DryRun(PlainMocks):
    """Answers as the engine does in a dry run: no id, and no output but the inputs."""

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        return "", dict(args.inputs)


EVERYTHING = {
    "stacks": ["account", "forensics"],
    "tier": "hot",
    "ebsDefaultEncryption": True,
    "responderCidrs": ["203.0.113.0/24"],
}
CENTRAL = {
    "vaultBucket": "cordon-vault-444455556666-eu-west-1",
    "vaultRegion": "eu-west-1",
    "vaultKeyArn": "arn:aws:kms:eu-west-1:444455556666:key/00000000-0000-0000-0000-000000000000",
}
SETTINGS: dict[str, Mapping[str, Any]] = {
    **DEPLOYMENTS,
    "least": {},
    "queue": {**EVERYTHING, "watch": "queue", "breakGlass": [user("carol")]},
    "topic": {**EVERYTHING, "watch": "topic", "watchEmails": ["security@example.com"]},
    "central vault": {**EVERYTHING, **CENTRAL},
    "former vault": {
        **EVERYTHING,
        **CENTRAL,
        "formerVault": "cordon-vault-111122223333-us-east-1",
    },
    "forensics alone": {"stacks": ["forensics"], "forensicRegions": ["eu-west-1"]},
    "roles of people": {
        "responders": ["arn:aws:iam::444455556666:role/OnCall"],
        "requireMfa": False,
        "externalId": EXTERNAL_ID,
    },
}


def registered(mocks: PlainMocks, config: Mapping[str, Any], *, preview: bool) -> dict[str, Any]:
    """What is declared, by URN: the inputs of each resource."""
    program = prepare(config, mocks=mocks, preview=preview)
    return {r.urn: r.inputs for r in program.registrations}


def same_as_far_as_known(planned: object, actual: object) -> bool:
    """Whether two values are the same wherever the first one is known."""
    if isinstance(planned, Unknown):
        return True
    if isinstance(planned, dict) and isinstance(actual, dict):
        return planned.keys() == actual.keys() and all(
            same_as_far_as_known(value, actual[key]) for key, value in planned.items()
        )
    if isinstance(planned, list) and isinstance(actual, list):
        return len(planned) == len(actual) and all(map(same_as_far_as_known, planned, actual))
    return planned == actual


def unknowns(value: object) -> int:
    """How many values in it are not known."""
    if isinstance(value, dict | list):
        return sum(unknowns(v) for v in (value.values() if isinstance(value, dict) else value))
    return isinstance(value, Unknown)


def compare(config: Mapping[str, Any], **account: Any) -> int:
    """How many inputs the preview did not know; all others are as in the real run."""
    planned = registered(DryRun(**account), config, preview=True)
    actual = registered(PlainMocks(**account), config, preview=False)
    assert planned.keys() == actual.keys()
    for urn, inputs in planned.items():
        assert same_as_far_as_known(inputs, actual[urn]), urn
    return unknowns(list(planned.values()))


@pytest.mark.parametrize("name", SETTINGS)
def test_a_preview_without_any_id_plans_what_up_does(name: str) -> None:
    count = compare(SETTINGS[name])
    assert count > 0, "a dry run in which everything is known proves nothing"


@pytest.mark.parametrize("partition", PARTITIONS)
def test_so_it_does_in_every_partition(partition: str) -> None:
    account = imagined(partition)
    people = {"responders": [user("alice", partition=partition)], "aws:region": account.home}
    compare(
        {**EVERYTHING, "watch": "queue", **people},
        regions=account.regions,
        partition=partition,
        home=account.home,
    )
