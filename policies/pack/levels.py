"""How strict each rule is while Pulumi deploys, and what it may mend by itself.

Mandatory is the rule: without what these rules ask for an incident response fails, or evidence is
lost. A remedy only turns on what nobody can want off; it never removes, opens or replaces.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pulumi_policy import EnforcementLevel

from contract import KEY_DELETION_DAYS_MIN

LEVELS: Mapping[str, EnforcementLevel] = {
    "tag_rules": EnforcementLevel.ADVISORY,
    "keys_rotate": EnforcementLevel.REMEDIATE,
    "keys_not_deleted_quickly": EnforcementLevel.REMEDIATE,
    "vault_not_force_destroyed": EnforcementLevel.REMEDIATE,
}
"""By the name of a rule's file; the others are mandatory."""


REMEDIES: Mapping[str, Mapping[str, Any]] = {
    "keys_rotate": {"enableKeyRotation": True},
    "keys_not_deleted_quickly": {"deletionWindowInDays": KEY_DELETION_DAYS_MIN},
    "vault_not_force_destroyed": {"forceDestroy": False},
}
"""By the same name: the properties (wire names) that are set where the rule is broken."""
