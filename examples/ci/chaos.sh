#!/bin/sh
# Runs SCENARIO on all targets that SELECTOR selects, and waits. Exits with 1 unless it succeeded on
# all of them; stops the run when the pipeline is cancelled. PIPELINE, a label, finds it again.
# Writes reports into the folder REPORTS, if it is set: chaos.xml (JUnit), chaos.html and chaos.md.
set -u
# shellcheck disable=SC2329  # the trap calls it
stop() {
    trap '' TERM INT
    kill $! 2>/dev/null
    wait $!
    krkn-grpc runs list --selector "pipeline=$PIPELINE" --output name |
        xargs -r -n 1 krkn-grpc runs stop
    exit 143
}
trap stop TERM INT
krkn-grpc run "$SCENARIO" ${IMAGE:+--image "$IMAGE"} --selector "$SELECTOR" \
    --label "pipeline=$PIPELINE" --timeout "$TIMEOUT_SECONDS" --wait &
wait $!
status=$?
if [ -n "${REPORTS:-}" ]; then
    mkdir -p "$REPORTS"
    krkn-grpc runs list --selector "pipeline=$PIPELINE" --limit 1 --output name |
        xargs -r -n 1 krkn-grpc runs report --file "$REPORTS/chaos.xml" \
            --file "$REPORTS/chaos.html" --file "$REPORTS/chaos.md"
fi
exit $status
