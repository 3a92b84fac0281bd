from tests.policies.samples import vault

GOOD = [
    vault().whole(),
    vault().but("lock", rule={"defaultRetention": {"mode": "COMPLIANCE", "years": 7}}),
]
BAD = [
    ("Object Lock is not enabled", vault().but("bucket", objectLockEnabled=None)),
    ("nothing is retained by default", vault().without("lock")),
    ("nothing is retained by default", vault().but("lock", rule=None)),
    (
        "nothing is retained by default",
        vault().but("lock", rule={"defaultRetention": {"mode": "GOVERNANCE", "days": 0}}),
    ),
]
