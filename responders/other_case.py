"""Whether another case holds an instance in quarantine: then it must not be let out by this one."""

from __future__ import annotations

from contract import TAG_CASE, TAG_STATUS, Status
from responders.errors import BadInput
from responders.scene import InstanceGone, Scene


def refuse_if_held(scene: Scene, case: str) -> None:
    """BadInput, with what to do, when the instance's tags say that another case holds it."""
    try:
        tags = {t["Key"]: t["Value"] for t in scene.instance.get("Tags", ())}
    except InstanceGone:
        return
    other = tags.get(TAG_CASE, case)
    if other == case or tags.get(TAG_STATUS) != Status.QUARANTINED:
        return
    raise BadInput(
        f"{scene.instance_id} is quarantined under case {other} as well, and stays so: nothing was "
        "restored",
        f"Release it there first: cordon release {scene.instance_id} --case {other}. If that case "
        f"is over, set the instance's tag {TAG_STATUS} to {Status.RELEASED.value}.",
    )
