"""A user whose access key is in the wrong hands, and the regions in which it is used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import boto3

ACCOUNT = "123456789012"
FAR = "ap-south-1"


@dataclass(frozen=True)
class Thief:
    """A user's key in the wrong hands."""

    key: str
    secret: str

    def client(self, service: str, region: str = "us-east-1") -> Any:
        return boto3.client(
            service,
            region_name=region,
            aws_access_key_id=self.key,
            aws_secret_access_key=self.secret,
        )
