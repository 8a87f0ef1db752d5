"""TargetService: clusters are registered, listed and removed; credentials only ever go in."""
