"""Whether another case holds an instance in quarantine: then it must not be let out by this one."""

from __future__ import annotations

from contract import TAG_CASE, TAG_STATUS, Status
from responders.errors import BadInput
from responders.scene import InstanceGone, Scene


def other_holder(scene: Scene, case: str) -> str:
    """The other case that the instance's tags name as the one that holds it; empty: none."""
    try:
        tags = {tag["Key"]: tag["Value"] for tag in scene.instance.get("Tags", ())}
    except InstanceGone:
        return ""
    other = tags.get(TAG_CASE, case)
    return "" if other == case or tags.get(TAG_STATUS) != Status.QUARANTINED else other


def refuse_if_held(scene: Scene, case: str) -> None:
    """BadInput, with what to do, when the instance's tags say that another case holds it."""
    if other := other_holder(scene, case):
        raise BadInput(
            f"{scene.instance_id} is quarantined under case {other} as well, and stays so: nothing "
            "was restored",
            f"Release it there first: cordon release {scene.instance_id} --case {other}. If that "
            f"case is over, set the instance's tag {TAG_STATUS} to {Status.RELEASED.value}.",
        )
