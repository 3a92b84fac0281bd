"""`cordon instance` from end to end: what AWS says afterwards, and which calls were made."""

from __future__ import annotations

from lab.calls import Calls
from tests.responders.conftest import REGION, Cordon, Scenario

FAST = ("--region", REGION, "--dwell", "0", "--json")


def test_contains_every_interface(scenario: Scenario, cordon: Cordon, calls: Calls) -> None:
    before = scenario.groups()
    answer = cordon("instance", scenario.instance, "--case", "IR-7", *FAST)
    assert answer.document["outcome"] == "contained", answer.out + answer.err
    assert answer.code == 0
    assert scenario.groups() == {eni: [scenario.isolate] for eni in scenario.enis}
    assert scenario.tags(scenario.instance)["Environment"] == "Quarantine:IR-7"

    again = cordon("instance", scenario.instance, "--case", "IR-7", *FAST)
    assert (again.code, again.document["outcome"]) == (0, "already-contained")

    assert cordon("case", "verify", "--case", "IR-7").code == 0
    released = cordon("release", scenario.instance, "--case", "IR-7", "--json")
    assert (released.code, released.document["outcome"]) == (0, "released"), released.out
    assert scenario.groups() == before
    assert scenario.tags(scenario.instance)["Environment"] == "Production"
