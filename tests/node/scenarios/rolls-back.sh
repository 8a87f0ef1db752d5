#!/bin/sh
# What krkn does at SIGTERM: it undoes what it did in the target cluster, and ends. ROLLBACK_SECONDS is how long that
# takes; ROLLED_BACK names the ConfigMap in the target that shows it.
roll_back() {
    echo "received SIGTERM, rolling back"
    sleep "${ROLLBACK_SECONDS:-0}"
    kubectl create configmap -n "$NAMESPACE" "$ROLLED_BACK" --from-literal=pid=$$ || exit 1
    echo "rolled back"
    exit 143
}
trap roll_back TERM
echo "the chaos is on"
while :; do
    sleep 1 &
    wait $!
done
