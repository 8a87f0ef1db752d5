"""TargetService: registers, lists and removes clusters; it never returns credentials."""
