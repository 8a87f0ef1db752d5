"""ScenarioRunService: one call becomes one KrknChaosJob a target, and jobs are shown."""
