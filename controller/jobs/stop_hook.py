"""What the node runs in the scenario's container before it sends SIGTERM: so that krkn hears of it.

The node signals process 1 alone. In most images of krkn-hub that is a shell, for which the kernel
drops SIGTERM, and krkn runs below it and would be killed without its rollback. Pure; see
docs/decisions/0012.
"""

_SCRIPT = """\
# Reads of a process what it does at SIGTERM: the 15th bit of each mask.
look() {
    pid= parent= blocked= caught=
    while read -r name value; do
        case $name in
        Pid:) pid=$value ;;
        PPid:) parent=$value ;;
        SigBlk:) blocked=$value ;;
        SigCgt:) caught=$value; break ;;
        esac
    done 2>/dev/null <"$1"
}

# Process 1 that has a handler, or waits for the signal as tini does, is told by the node.
look /proc/1/status
case $caught in *[4567cdef]???) exit 0 ;; esac
case $blocked in *[4567cdef]???) exit 0 ;; esac

# Below it, from the top: whoever has a handler is told, and cares for its own children.
set -- 1
while [ "$#" -gt 0 ]; do
    above=$1
    shift
    for status in /proc/[0-9]*/status; do
        look "$status"
        [ "$parent" = "$above" ] || continue
        case $caught in
        *[4567cdef]???) kill -TERM "$pid" ;;
        *) set -- "$@" "$pid" ;;
        esac
    done
done
exit 0
"""

COMMAND = ["/bin/sh", "-c", _SCRIPT]
"""Only what every shell has built in. In an image without a shell the node goes on without it."""
