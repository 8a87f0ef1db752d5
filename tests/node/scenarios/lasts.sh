#!/bin/sh
# Ends after LASTS seconds, at SIGTERM at once.
trap 'kill $!; exit 143' TERM
sleep "$LASTS" &
wait $!
