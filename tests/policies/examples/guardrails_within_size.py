import json

from policies.bridge.program import Resource
from tests.policies.samples import OWN, made

SCP, TAGS = "SERVICE_CONTROL_POLICY", "TAG_POLICY"


def guardrail(size: int, kind: str | None = SCP) -> Resource:
    content = json.dumps({"Statement": ""})
    content = content[:-2] + "x" * (size - len(content)) + content[-2:]
    given = {"type": kind} if kind else {}
    return made("aws:organizations/policy:Policy", "guardrail", content=content, tags=OWN, **given)


def attached(count: int) -> list[Resource]:
    kind = "aws:organizations/policyAttachment:PolicyAttachment"
    return [made(kind, f"to-{n}", policyId=f"p-{n}", targetId="r-exam") for n in range(count)]


GOOD = [[guardrail(5120)], [guardrail(10000, TAGS)], [guardrail(5120, None)], attached(5)]
BAD = [
    ("has 5121 characters, AWS takes 5120", [guardrail(5121)]),
    ("has 5121 characters, AWS takes 5120", [guardrail(5121, None)]),
    ("has 10001 characters, AWS takes 10000", [guardrail(10001, TAGS)]),
    ("6 policies are attached to r-exam", attached(6)),
    (
        "content is no JSON object",
        [made("aws:organizations/policy:Policy", "broken", content="{", type=SCP)],
    ),
]
OTHER = [[guardrail(20000, "BACKUP_POLICY")]]
