"""A trail's objects at the rate of an organization: decoded once into Parquet, then asked in SQL.

Measured on 2 cores, per event of 1.3 KB: DuckDB reading the objects itself takes 61 µs and 650 MB,
`json` 21 µs, orjson with pyarrow 26 µs and 330 MB, msgspec with pyarrow 11 µs and 160 MB a process
(`make bench-hunt`). So msgspec decodes, pyarrow writes, and DuckDB answers.

The libraries come with the `hunt` extra; nothing here is imported before a trail is read.
"""
