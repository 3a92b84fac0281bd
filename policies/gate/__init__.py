"""The compliance gate: it passes only what was seen to be judged, and found good."""
