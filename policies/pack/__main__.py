"""Started by Pulumi: `pulumi preview --policy-pack policies/pack`."""

import sys
from pathlib import Path

# Pulumi puts this folder on the path, the rules and the contract are above it.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent.parent))

from pulumi_policy import EnforcementLevel, PolicyPack

from policies.pack.judging import pack

PolicyPack("cordon", list(pack()), EnforcementLevel.MANDATORY)
