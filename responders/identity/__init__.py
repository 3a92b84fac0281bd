"""Users, roles and keys: who they are, and the deny policies put on them."""
