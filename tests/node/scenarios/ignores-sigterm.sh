#!/bin/sh
trap '' TERM
echo "the chaos is on, and nothing stops it"
while :; do sleep 1; done
