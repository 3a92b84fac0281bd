"""What moto 5.2.5 does otherwise than AWS, or not at all: one file each.

A mend is a module with a docstring that states AWS's rule and where it is documented, and a
function `mend` that is called once. Everything a mend keeps is kept on moto's own backends, so it
ends when they are emptied.
"""

from __future__ import annotations

from lab.mends import (
    access_keys,
    bucket_logging,
    bucket_owner,
    bucket_policy,
    client_tokens,
    commands,
    connection_tracking,
    console,
    ebs_defaults,
    empty_services,
    fleet_sizes,
    group_deletion,
    groups_for_vpc,
    hibernation,
    inline_quota,
    instance_attributes,
    instance_filters,
    interface_groups,
    key_lookup,
    kms_keys,
    lake,
    launch,
    managed_instances,
    metadata_options,
    object_lock,
    paging,
    policy_types,
    profile_association,
    public_keys,
    regions,
    revoke_rules,
    service_credentials,
    sessions,
    snapshot_locks,
    snapshots,
    support,
    terminate,
)

MENDS = (
    access_keys,
    bucket_logging,
    bucket_owner,
    bucket_policy,
    client_tokens,
    commands,
    connection_tracking,
    console,
    ebs_defaults,
    empty_services,
    fleet_sizes,
    group_deletion,
    groups_for_vpc,
    hibernation,
    inline_quota,
    instance_attributes,
    instance_filters,
    interface_groups,
    key_lookup,
    kms_keys,
    lake,
    launch,
    managed_instances,
    metadata_options,
    object_lock,
    paging,
    policy_types,
    profile_association,
    public_keys,
    regions,
    revoke_rules,
    service_credentials,
    sessions,
    snapshot_locks,
    snapshots,
    support,
    terminate,
)


def mend_all() -> None:
    """Applies every mend."""
    for module in MENDS:
        module.mend()
