"""ScenarioService: shows the catalogue, and keeps it current with the administrator's folder."""
