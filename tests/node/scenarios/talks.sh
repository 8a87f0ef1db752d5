#!/bin/sh
# LINES numbered lines at once, then one a second until the target has the ConfigMap that lets it end.
awk -v lines="$LINES" 'BEGIN { for (i = 1; i <= lines; i++) printf "line %06d %080d\n", i, i }'
until kubectl get configmap -n "$NAMESPACE" "$GO_ON" >/dev/null 2>&1; do
    echo "waiting"
    sleep 1
done
echo "the last line"
