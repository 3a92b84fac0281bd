"""Prints what Checkov's own checks look at, as JSON; run by Checkov's Python, imported by nobody.

`types`: how many resource checks each AWS type has. `keys`: by type, the argument that each check
of a single value inspects.
"""

import json

import checkov.terraform.plan_runner  # noqa: F401 - loads the checks
from checkov.terraform.checks.resource.registry import resource_registry

checks = {k: v for k, v in resource_registry.checks.items() if k.startswith("aws_")}
keys = {
    kind: {
        check.id: check.get_inspected_key()
        for check in found
        if hasattr(check, "get_inspected_key")
    }
    for kind, found in checks.items()
}
print(json.dumps({"types": {kind: len(found) for kind, found in checks.items()}, "keys": keys}))
