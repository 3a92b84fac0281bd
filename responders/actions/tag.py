"""Tags the instance, its interfaces and its volumes as quarantined in this case."""

from __future__ import annotations

from collections.abc import Mapping

from contract import TAG_CASE, TAG_ENVIRONMENT, TAG_STATUS, Status, quarantine_value
from responders.action import Action, Incident, Observation
from responders.json_values import Json
from responders.permissions import allow, ec2, only_tags, together
from responders.scene import Scene

KINDS = ("instance", "network-interface", "volume")


class Tag(Action[Scene]):
    """`cordon:case`, `cordon:status`, and `Environment=Quarantine:<case>` on the instance."""

    name = "tag"
    permissions = (
        allow("ec2:DescribeTags", because="reads the tags that are about to change"),
        allow(
            "ec2:CreateTags",
            on=tuple(ec2(kind) for kind in KINDS),
            # Neither another tag nor the status of a workstation: by those, more is allowed.
            when=together(
                only_tags(TAG_CASE, TAG_STATUS, TAG_ENVIRONMENT),
                {
                    "StringEquals": {
                        f"aws:RequestTag/{TAG_STATUS}": [
                            Status.QUARANTINED.value,
                            Status.RELEASED.value,
                        ]
                    },
                    "Null": {f"aws:RequestTag/{TAG_CASE}": "false"},
                },
            ),
            because="tags what is quarantined; release writes the former values back",
            risk="can mark any instance, interface or volume as quarantined or as released, which "
            "lifts the guardrails' protection, and set its `Environment`",
        ),
        allow(
            "ec2:DeleteTags",
            on=tuple(ec2(kind) for kind in KINDS),
            when=only_tags(TAG_ENVIRONMENT),
            because="removes on release the tag that was not there before",
            risk="can remove `Environment` from any instance, interface or volume",
        ),
    )

    def observe(self, incident: Incident[Scene]) -> Observation:
        """Resource id to the values of the tags that this action sets; None where unset."""
        wanted = self._wanted(incident)
        pages = (
            incident.client("ec2")
            .get_paginator("describe_tags")
            .paginate(Filters=[{"Name": "resource-id", "Values": sorted(wanted)}])
        )
        tags: dict[str, dict[str, str]] = {}
        for page in pages:
            for tag in page["Tags"]:
                tags.setdefault(tag["ResourceId"], {})[tag["Key"]] = tag["Value"]
        return {
            resource: {key: tags.get(resource, {}).get(key) for key in keys}
            for resource, keys in wanted.items()
        }

    def lacks(self, incident: Incident[Scene], observation: Observation) -> tuple[str, ...]:
        """A line for each resource that lacks one of the tags."""
        wanted = self._wanted(incident)
        told = []
        for resource, tags in observation.items():
            other = tags.get(TAG_CASE)
            if other not in (None, incident.case) and tags[TAG_STATUS] == Status.QUARANTINED:
                incident.note(
                    f"{resource} was quarantined under case {other} before; that case's record "
                    "has its former state"
                )
            if tags != wanted.get(resource, tags):
                told.append(f"{resource} is not tagged as quarantined in {incident.case}")
        return tuple(told)

    def act(self, incident: Incident[Scene], observation: Observation) -> None:
        """One call an equal set of tags."""
        for resource, tags in self._wanted(incident).items():
            if observation.get(resource) != tags:
                _create(incident, resource, tags)

    def undo(self, incident: Incident[Scene], before: Observation) -> None:
        """`Environment` as it was; the case stays, with the status `released`.

        What another case had in quarantine before is that one's again.
        """
        for resource, tags in before.items():
            kept = {k: v for k, v in tags.items() if k == TAG_ENVIRONMENT and v is not None}
            mark = {TAG_CASE: incident.case, TAG_STATUS: Status.RELEASED.value}
            if _is_quarantined(tags):
                mark = {key: tags[key] for key in mark}
            _create(incident, resource, {**kept, **mark})
            if tags.get(TAG_ENVIRONMENT, "") is None:
                incident.client("ec2").delete_tags(
                    Resources=[resource], Tags=[{"Key": TAG_ENVIRONMENT}]
                )

    def is_own(self, incident: Incident[Scene], resource: str, state: Json) -> bool:
        """Quarantined in this very case; what another case tagged is given back to it."""
        return bool(_is_quarantined(state) and state.get(TAG_CASE) == incident.case)

    def belongs_to(self, holder: str, state: Json) -> bool:
        """Quarantined in that case."""
        return bool(_is_quarantined(state) and state.get(TAG_CASE) == holder)

    def hand_over(self, incident: Incident[Scene], before: Observation, holder: str) -> None:
        """The quarantine is that case's from now on, so that it can release."""
        mark = {TAG_CASE: holder, TAG_STATUS: Status.QUARANTINED.value}
        for resource, tags in before.items():
            instance = TAG_ENVIRONMENT in tags
            value = {TAG_ENVIRONMENT: quarantine_value(holder)} if instance else {}
            _create(incident, resource, {**mark, **value})

    def restored(self, before: Json, now: Json) -> bool:
        """The user's own tags are as before, and no quarantine is in force but one of before."""
        return before == now or bool(
            now is not None
            and before.get(TAG_ENVIRONMENT) == now.get(TAG_ENVIRONMENT)
            and not _is_quarantined(before)
            and not _is_quarantined(now)
        )

    def _wanted(self, incident: Incident[Scene]) -> dict[str, dict[str, str]]:
        mark = {TAG_CASE: incident.case, TAG_STATUS: Status.QUARANTINED.value}
        instance = {**mark, TAG_ENVIRONMENT: quarantine_value(incident.case)}
        others = [str(i["NetworkInterfaceId"]) for i in incident.subject.interfaces] + [
            str(m["Ebs"]["VolumeId"])
            for m in incident.subject.instance.get("BlockDeviceMappings", ())
            if "Ebs" in m
        ]
        return {incident.target: instance, **dict.fromkeys(sorted(others), mark)}


def _is_quarantined(tags: Mapping[str, str]) -> bool:
    return bool(tags.get(TAG_STATUS) == Status.QUARANTINED)


def _create(incident: Incident[Scene], resource: str, tags: dict[str, str]) -> None:
    incident.client("ec2").create_tags(
        Resources=[resource], Tags=[{"Key": k, "Value": v} for k, v in tags.items()]
    )
