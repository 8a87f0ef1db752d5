"""The preStop hook of the scenario's container: it sends SIGTERM to krkn itself.

The node signals process 1 alone. In most images of krkn-hub that is a shell, for which the kernel
drops SIGTERM; krkn runs below it and would be killed without its rollback. While krkn still
starts, it has no handler yet: the hook signals it as soon as it has one. Pure; see
docs/decisions/0012.
"""

# The node sends SIGTERM when the hook has ended, and leaves at least these seconds after it.
_LEFT_TO_THE_NODE = 2

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

rounds=$1
told=" "
while :; do
    # Process 1 that has a handler, or waits for the signal as tini does, is told by the node.
    look /proc/1/status
    case $caught in *[4567cdef]???) exit 0 ;; esac
    case $blocked in *[4567cdef]???) exit 0 ;; esac

    # Below it, from the top: a process with a handler is told once, and ends its own children.
    busy=
    set -- 1
    while [ "$#" -gt 0 ]; do
        above=$1
        shift
        for status in /proc/[0-9]*/status; do
            look "$status"
            [ "$parent" = "$above" ] || continue
            case $caught in
            *[4567cdef]???)
                case $told in
                *" $pid "*) busy=yes ;;
                *) kill -TERM "$pid" && told="$told$pid " ;;
                esac
                ;;
            *) set -- "$@" "$pid" ;;
            esac
        done
    done

    # Who was told a second ago and is still there rolls back. Else krkn may be about to start.
    [ -z "$busy" ] || exit 0
    rounds=$((rounds - 1))
    [ "$rounds" -gt 0 ] || exit 0
    sleep 1 || exit 0
done
"""


def command(grace_seconds: int) -> list[str]:
    """Return the hook's command, for any shell; in an image without one the hook has no effect."""
    rounds = max(grace_seconds - _LEFT_TO_THE_NODE, 1)
    return ["/bin/sh", "-c", _SCRIPT, "stop-hook", str(rounds)]
