"""CloudTrail's event history, fed by the calls that reach moto.

`shape` writes a call the way CloudTrail does, `record` makes the whole record, `history` keeps
records and looks them up, `answer` is `LookupEvents`.
"""
