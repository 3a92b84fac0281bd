"""The largest manifest that the settings admit fits into a standard parameter."""

from __future__ import annotations

from contract import MANIFEST_LIMIT, Manifest
from lab.plain import PlainMocks
from tests.preparation import prepare


def test_the_longest_names_and_the_most_networks_fit() -> None:
    region = "ap-southeast-7"
    cidrs = [f"2001:db8:1111:2222:3333:4444:5555:{n:x}/128" for n in range(16, 59)]
    mocks = PlainMocks(regions=[region], home=region, zones={region: [f"{region}a", f"{region}b"]})
    config = {
        "stacks": ["account", "forensics"],
        "responderCidrs": cidrs,
        "vaultSuffix": "-0123456789ab",
    }
    parameter = prepare(config, mocks=mocks).named(f"manifest-{region}-parameter")
    text = parameter.inputs["insecureValue"]
    assert 3000 < len(text.encode()) <= MANIFEST_LIMIT
    assert Manifest.from_json(text).responder_cidrs == tuple(cidrs)
    assert parameter.inputs.get("tier", "Standard") == "Standard"
    assert not parameter.secret_inputs
