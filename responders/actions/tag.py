"""Tags the instance, its interfaces and its volumes as quarantined in this case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from contract import TAG_CASE, TAG_ENVIRONMENT, TAG_STATUS, Status, quarantine_value
from responders.action import Action, Incident, Observation
from responders.aws import SomeFailed, explain
from responders.errors import Skip
from responders.json_values import Json
from responders.permissions import allow, ec2, only_tags, together
from responders.scene import InstanceGone, Scene
from responders.tagging import listed, may_pass_with_fewer, only_kit_tags, with_fewer

KINDS = ("instance", "network-interface", "volume")
FILTER_VALUES = 200
"""Values that one filter of a Describe call takes (EC2 API, Filter)."""


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
        """Resource id to the values of the tags that this action sets; None where unset.

        What the case tagged is looked at even when it is no longer on the instance.
        """
        keys = {
            **{resource: tuple(before) for resource, before in incident.known.items()},
            **{resource: tuple(tags) for resource, tags in self._intended(incident).items()},
        }
        tags = _read(incident, sorted(keys))
        return {
            resource: {key: tags.get(resource, {}).get(key) for key in keys_of_resource}
            for resource, keys_of_resource in keys.items()
        }

    def lacks(self, incident: Incident[Scene], observation: Observation) -> tuple[str, ...]:
        """A line for each resource that lacks one of the tags."""
        intended = self._intended(incident)
        lines = []
        for resource, tags in observation.items():
            other = tags.get(TAG_CASE)
            if other not in (None, incident.case) and tags[TAG_STATUS] == Status.QUARANTINED:
                incident.note(
                    f"{resource} was quarantined under case {other} before; that case's record "
                    "has its former state"
                )
            missing = _differing(intended.get(resource, {}), tags)
            if missing:
                lines.append(
                    f"{resource} is not tagged as quarantined in {incident.case}: it lacks "
                    f"{', '.join(missing)}"
                )
        return tuple(lines)

    def act(self, incident: Incident[Scene], observation: Observation) -> None:
        """Tags each resource by itself; where a tag is refused, the kit's own without it."""
        intended = self._intended(incident)

        def tag(resource: str) -> None:
            omitted: list[str] = []
            tags = intended[resource]
            with_fewer(
                tags,
                only_kit_tags(tags),
                lambda accepted: _create(incident, resource, accepted),
                omitted.append,
            )
            if omitted:
                raise SomeFailed([f"is tagged {omitted[0]}"])

        incident.aws.each(
            tag, [r for r, tags in intended.items() if _differing(tags, observation.get(r, {}))]
        )

    def undo(self, incident: Incident[Scene], before: Observation) -> None:
        """`Environment` as it was; the case stays, with the status `released`.

        What another case had in quarantine before is that one's again. The status comes first, for
        it is what locks the resource: a tag policy may refuse the former `Environment`, which is
        then left and named by `Skip`, incomplete.
        """
        now = self.observe(incident)
        refused: list[str] = []

        def restore(resource: str) -> None:
            _create(incident, resource, _mark_after(incident, before[resource]))
            former = before[resource].get(TAG_ENVIRONMENT)
            if former == now.get(resource, {}).get(TAG_ENVIRONMENT):
                return
            try:
                _restore_environment(incident, resource, before[resource])
            except Exception as error:
                if not may_pass_with_fewer(error):
                    raise
                refused.append(
                    f"{resource} keeps `{TAG_ENVIRONMENT}` as the response set it, for "
                    f"{_described(former)} was refused: {explain(error)}"
                )

        # No error of one keeps the lock on another; one that stays locked is a failure.
        incident.aws.each(restore, sorted(before))
        if refused:
            raise Skip("; ".join(sorted(refused)), incomplete=True)

    def is_own(self, incident: Incident[Scene], resource: str, state: Json) -> bool:
        """Quarantined in this very case; what another case tagged is given back to it."""
        return bool(_is_quarantined(state) and state.get(TAG_CASE) == incident.case)

    def belongs_to(self, holder: str, state: Json) -> bool:
        """Quarantined in that case."""
        return bool(_is_quarantined(state) and state.get(TAG_CASE) == holder)

    def hand_over(self, incident: Incident[Scene], before: Observation, holder: str) -> None:
        """The quarantine is that case's from now on, so that it can release."""
        mark = {TAG_CASE: holder, TAG_STATUS: Status.QUARANTINED.value}

        def hand(resource: str) -> None:
            has_environment = TAG_ENVIRONMENT in before[resource]
            value = {TAG_ENVIRONMENT: quarantine_value(holder)} if has_environment else {}
            with_fewer(
                {**mark, **value},
                mark,
                lambda accepted: _create(incident, resource, accepted),
                lambda line: incident.note(f"{resource} was handed over {line}"),
            )

        incident.aws.each(hand, sorted(before))

    def restored(self, before: Json, now: Json) -> bool:
        """The user's own tags are as before, and no quarantine is in force but one of before.

        A release of the same case that could not write `Environment` changed the status alone: the
        next release must not take that for somebody else's change.
        """
        if before == now or now is None:
            return bool(before == now)
        if before.get(TAG_ENVIRONMENT) != now.get(TAG_ENVIRONMENT) or _is_quarantined(now):
            return False
        return not _is_quarantined(before) or before.get(TAG_CASE) == now.get(TAG_CASE)

    def _intended(self, incident: Incident[Scene]) -> dict[str, dict[str, str]]:
        """Resource to the tags that it should have; empty when the instance is gone."""
        mark = {TAG_CASE: incident.case, TAG_STATUS: Status.QUARANTINED.value}
        instance = {**mark, TAG_ENVIRONMENT: quarantine_value(incident.case)}
        try:
            others = [str(i["NetworkInterfaceId"]) for i in incident.subject.interfaces] + [
                str(m["Ebs"]["VolumeId"])
                for m in incident.subject.instance.get("BlockDeviceMappings", ())
                if "Ebs" in m
            ]
        except InstanceGone:
            if not incident.known:
                raise
            return {}
        return {incident.target: instance, **dict.fromkeys(sorted(others), mark)}


def _read(incident: Incident[Scene], resources: Sequence[str]) -> dict[str, dict[str, str]]:
    """Resource to all its tags; it is missing when it has none, or is gone."""
    tags: dict[str, dict[str, str]] = {}
    paginator = incident.client("ec2").get_paginator("describe_tags")
    for start in range(0, len(resources), FILTER_VALUES):
        ids = list(resources[start : start + FILTER_VALUES])
        for page in paginator.paginate(Filters=[{"Name": "resource-id", "Values": ids}]):
            for tag in page["Tags"]:
                tags.setdefault(tag["ResourceId"], {})[tag["Key"]] = tag["Value"]
    return tags


def _differing(intended: Mapping[str, str], tags: Mapping[str, str | None]) -> list[str]:
    return [key for key, value in intended.items() if tags.get(key) != value]


def _is_quarantined(tags: Mapping[str, str]) -> bool:
    return bool(tags.get(TAG_STATUS) == Status.QUARANTINED)


def _mark_after(incident: Incident[Scene], before: Mapping[str, str]) -> dict[str, str]:
    """The kit's tags after release."""
    if _is_quarantined(before):
        return {key: before[key] for key in (TAG_CASE, TAG_STATUS)}
    return {TAG_CASE: incident.case, TAG_STATUS: Status.RELEASED.value}


def _restore_environment(
    incident: Incident[Scene], resource: str, before: Mapping[str, str]
) -> None:
    former = before.get(TAG_ENVIRONMENT)
    if former is None:
        incident.client("ec2").delete_tags(Resources=[resource], Tags=[{"Key": TAG_ENVIRONMENT}])
    else:
        # The responder role may set `Environment` only together with the kit's tags.
        mark = _mark_after(incident, before)
        _create(incident, resource, {**mark, TAG_ENVIRONMENT: former})


def _described(former: str | None) -> str:
    return "its removal" if former is None else f"the former value {former!r}"


def _create(incident: Incident[Scene], resource: str, tags: Mapping[str, str]) -> None:
    incident.client("ec2").create_tags(Resources=[resource], Tags=listed(tags))
