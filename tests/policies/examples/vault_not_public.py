from tests.policies.samples import TLS_ONLY, allow, policy, vault

ORGANIZATION = {"StringEquals": {"aws:PrincipalOrgID": "o-exampleorg"}}
NOT_US = {"StringNotEquals": {"aws:PrincipalOrgID": "o-exampleorg"}}
GOOD = [
    vault().whole(),
    vault().but(
        "policy",
        policy=policy(TLS_ONLY, allow("s3:PutObject", Principal="*", Condition=ORGANIZATION)),
    ),
]
BAD = [
    ("block_public_policy is not set", vault().without("block")),
    ("block_public_acls is not set", vault().but("block", blockPublicAcls=False)),
    (
        "allows everybody s3:GetObject",
        vault().but("policy", policy=policy(allow("s3:GetObject", Principal="*"))),
    ),
    (
        "allows everybody s3:GetObject",
        vault().but("policy", policy=policy(allow("s3:GetObject", Principal={"AWS": ["*"]}))),
    ),
    (
        "allows everybody s3:GetObject",
        vault().but(
            "policy", policy=policy(allow("s3:GetObject", Principal="*", Condition=NOT_US))
        ),
    ),
]
