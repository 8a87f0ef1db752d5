"""AccessService: tells callers what they may do."""
