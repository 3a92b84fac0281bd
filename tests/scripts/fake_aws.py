"""The AWS CLI as the capture scripts find it on a host, played by a short Python program."""

from __future__ import annotations

AWS = """
import os, pathlib, re, shutil, sys
words = sys.argv[1:]
source, target = [w for w in words[words.index("cp") + 1:] if not w.startswith("--")][:2]
vault = pathlib.Path(os.environ["STATE"], "vault")
place = lambda url: vault / url.removeprefix("s3://example-vault/")
if source.startswith("s3://"):
    if not place(source).exists():
        sys.exit("fatal error: An error occurred (404) when calling the HeadObject operation")
    shutil.copy(place(source), target)
elif re.search(os.environ.get("DENY", "(?!)"), target):
    sys.exit("upload failed: An error occurred (AccessDenied) when calling PutObject")
else:
    place(target).parent.mkdir(parents=True, exist_ok=True)
    data = sys.stdin.buffer.read() if source == "-" else pathlib.Path(source).read_bytes()
    place(target).write_bytes(data)
"""
