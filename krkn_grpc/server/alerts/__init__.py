"""AlertService: takes the alerts that Alertmanager sends, and stops the runs that name them."""
