"""Runs the command: `python -m krkn_grpc.cli`."""

from krkn_grpc.cli.app import app

app(prog_name="krkn-grpc")
