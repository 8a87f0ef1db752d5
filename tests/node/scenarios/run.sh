#!/bin/sh
# Between the first shell of a krkn-hub image and krkn: a second one, which does not pass signals on either.
/scenarios/rolls-back.sh
status=$?
echo "krkn ended with $status"
exit $status
