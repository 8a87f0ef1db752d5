"""The Grafana dashboard of the metrics: its rows as data, its JSON, and a picture of it.

`rows` says what is shown; `grafana` turns that into Grafana's JSON model, and `generate` writes it.
"""
