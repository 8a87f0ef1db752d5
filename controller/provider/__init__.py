"""Registers this service as a KrknOperatorTargetProvider and renews its heartbeat."""
