from tests.policies.samples import TLS_ONLY, policy, vault

NARROWED = {**TLS_ONLY, "Condition": {**TLS_ONLY["Condition"], "StringEquals": {"a": "b"}}}
GOOD = [vault().whole()]
BAD = [
    ("no bucket policy", vault().without("policy")),
    ("allows requests without TLS", vault().but("policy", policy=policy())),
    ("allows requests without TLS", vault().but("policy", policy=policy(NARROWED))),
    (
        "allows requests without TLS",
        vault().but("policy", policy=policy({**TLS_ONLY, "Action": "s3:PutObject"})),
    ),
    (
        "allows requests without TLS",
        vault().but("policy", policy=policy({**TLS_ONLY, "Effect": "Allow"})),
    ),
    ("policy is no JSON object", vault().but("policy", policy="not JSON")),
]
