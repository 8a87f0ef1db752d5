"""ScenarioRunService: creates one KrknChaosJob per target of a call, and shows jobs."""
