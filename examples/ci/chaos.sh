#!/bin/sh
# Runs SCENARIO on all targets that SELECTOR selects, and waits. Exits with 1 unless it succeeded on
# all of them; stops the run when the pipeline is cancelled. PIPELINE, a label, finds it again.
set -u
stop() {
    trap '' TERM INT
    kill $! 2>/dev/null
    wait $!
    krkn-grpc runs list --selector "pipeline=$PIPELINE" --output json |
        grep -o '"runId": *"[^"]*"' | cut -d '"' -f 4 | xargs -r -n 1 krkn-grpc runs stop
    exit 143
}
trap stop TERM INT
krkn-grpc run "$SCENARIO" ${IMAGE:+--image "$IMAGE"} --selector "$SELECTOR" \
    --label "pipeline=$PIPELINE" --timeout "$TIMEOUT_SECONDS" --wait &
wait $!
