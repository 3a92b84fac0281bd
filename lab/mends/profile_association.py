"""Replacing an instance profile's association shows on the instance, under a new association id.

Moto goes on describing the former profile, and gives the association's id for the profile's. (EC2
API, ReplaceIamInstanceProfileAssociation, DescribeInstances.)
"""

from __future__ import annotations

from typing import Any

from moto.ec2.models.iam_instance_profile import (
    IamInstanceProfileAssociation,
    IamInstanceProfileAssociationBackend,
)
from moto.ec2.utils import random_iam_instance_profile_association_id


def mend() -> None:
    """Patches the association and its replacement."""
    association: Any = IamInstanceProfileAssociation
    backend: Any = IamInstanceProfileAssociationBackend
    moto_init = association.__init__
    moto_replace = backend.replace_iam_instance_profile_association

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        moto_init(self, *args, **kwargs)
        _show(self)

    def replace(self: Any, *args: Any, **kwargs: Any) -> Any:
        replaced = moto_replace(self, *args, **kwargs)
        replaced.association_id = random_iam_instance_profile_association_id()
        _show(replaced)
        return replaced

    association.__init__ = init
    backend.replace_iam_instance_profile_association = replace


def _show(association: Any) -> None:
    profile = association.iam_instance_profile
    association.instance.iam_instance_profile = {"Arn": profile.arn, "Id": profile.id}
