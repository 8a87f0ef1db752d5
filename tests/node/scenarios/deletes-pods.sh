#!/bin/sh
# Deletes the pods with a label in the target cluster, and says so as krkn does.
say() { echo "$(date -u '+%Y-%m-%d %H:%M:%S'),000 [INFO] $*"; }

say "Starting kraken"
say "Fetching cluster info"
kubectl version -o yaml | grep gitVersion
victims=$(kubectl get pods -n "$NAMESPACE" -l "$POD_LABEL" -o name) || exit 1
[ -n "$victims" ] || { say "No pods match the label $POD_LABEL"; exit 1; }
for victim in $victims; do
    say "Deleting pod ${victim#pod/}"
    kubectl delete -n "$NAMESPACE" "$victim" --wait=true || exit 1
done
say "Successfully finished running Kraken"
