import hashlib

from contract import Purpose
from policies.bridge.program import Resource
from tests.policies.samples import REGION, kit, made, manifest

CONTENT = '{"schemaVersion": "2.2"}'
SHA256 = hashlib.sha256(CONTENT.encode()).hexdigest()


def document(content: str = CONTENT) -> Resource:
    return made(
        "aws:ssm/document:Document",
        "document",
        region=REGION,
        name="cordon-memory",
        documentType="Command",
        content=content,
        tags=kit(Purpose.DOCUMENT),
    )


GOOD = [[manifest(cordon_memory=SHA256), document()]]
BAD = [
    ("does not pin cordon-memory", [manifest(), document()]),
    ("pins another content", [manifest(cordon_memory=SHA256), document("{}")]),
    ("writes no manifest", [document()]),
]
OTHER = [[made("aws:ssm/document:Document", "theirs", name="x", content="{}")]]
