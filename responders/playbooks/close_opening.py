"""Isolates an instance that a run which died in its dwell left open: nothing else, and at once.

No command has this name: every command of the case that writes does it first. See
`responders.close_openings`.
"""

from __future__ import annotations

from collections.abc import Mapping

from responders.actions.isolate_network import IsolateNetwork
from responders.actions.prepare_groups import PrepareGroups
from responders.aws import Aws
from responders.graph import Step
from responders.host.interface_groups import Opening
from responders.json_values import Json
from responders.locate import Located
from responders.other_case import other_holder, refuse_if_held
from responders.playbook import Options, Playbook
from responders.record.case import Case
from responders.scene import Scene


class CloseOpening(Playbook[Scene, Options]):
    """The network only; release undoes it together with the response that opened it."""

    options = Options
    is_released = True
    is_resumed = False  # the next command does it anew, and the response that opened is resumed

    def locate(self, aws: Aws, target: str, region: str | None) -> Located[Scene]:
        """The instance of the record, in the region of the record."""
        region = region or aws.home_region
        scene = Scene(aws, region, target)
        scene.prefetch()
        return Located(region, target, scene, prepared=scene.prepared)

    def recorded(self, aws: Aws, begin: Mapping[str, Json]) -> Located[Scene]:
        """The same."""
        region, target = str(begin["region"]), str(begin["target"])
        return Located(region, target, Scene(aws, region, target), str(begin["account"]))

    def check_release(self, located: Located[Scene], case: Case) -> None:
        """As the response that opened it: the newest run on a target says how it is released."""
        refuse_if_held(located.subject, case.id)

    def other_holder(self, subject: Scene, case: str) -> str:
        """By the instance's tags."""
        return other_holder(subject, case)

    def steps(self, options: Options) -> tuple[Step[Scene], ...]:
        """It waits for the groups to be verified, and for nothing else."""
        return (
            Step(PrepareGroups(untrack=True)),
            Step(IsolateNetwork(Opening()), after={PrepareGroups: None}, recheck=True),
        )


PLAYBOOK = CloseOpening()
