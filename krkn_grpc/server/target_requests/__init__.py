"""TargetRequestService: makes target requests, waits for them, shows the providers' answers."""
