"""Volumes and snapshots: found, hashed, copied, and mounted on a forensic workstation."""
