"""Makes this service known as a KrknOperatorTargetProvider, and keeps that fresh."""
