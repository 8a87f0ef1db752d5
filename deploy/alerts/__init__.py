"""The alert rules: `rules.yaml` is their source, `rules` reads it and makes the manifest."""
