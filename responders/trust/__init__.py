"""Whom a response believes: the trust document kept on this machine, and hardly the account.

Whoever has administrator rights can write the manifest, tags and names of an account. So what
follows from the kit's version, the account and the region is computed; the rest comes from the
trust document (`pin`); and without one, only what is safe by construction is used (`unpinned`).
"""
