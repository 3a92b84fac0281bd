"""AWS Support: cases, their text, and what became of them."""
