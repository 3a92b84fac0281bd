"""Organizations takes declarative policies for EC2 (API reference, CreatePolicy, `Type`).

Moto knows five types of policies, and gives each an ARN by an `if` of its own.
"""

from __future__ import annotations

from typing import Any

from moto.organizations import models, utils

DECLARATIVE = "DECLARATIVE_POLICY_EC2"


def mend() -> None:
    """Adds the type to those that roots and policies support."""
    models.FakeRoot.SUPPORTED_POLICY_TYPES.append(DECLARATIVE)
    models.FakePolicy.SUPPORTED_POLICY_TYPES.append(DECLARATIVE)
    policy: Any = models.FakePolicy
    moto_init = policy.__init__

    def init(self: Any, organization: Any, **kwargs: Any) -> None:
        declarative = kwargs.get("Type") == DECLARATIVE
        moto_init(
            self, organization, **({**kwargs, "Type": "TAG_POLICY"} if declarative else kwargs)
        )
        if declarative:
            self.type = DECLARATIVE
            self._arn_format = utils.TAG_POLICY_ARN_FORMAT.replace(
                "tag_policy", "declarative_policy_ec2"
            )

    policy.__init__ = init
