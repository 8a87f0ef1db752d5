"""Run a program that the kernel kills when its parent process dies, however it dies.

Run as a script: `python -IS dies_with_parent.py PARENT_PID PROGRAM [ARGUMENT...]`. A separate
process does this, because Python code between fork and exec in the parent (`preexec_fn`) can hang
in a program that has threads. Only Linux has the call; elsewhere the program is started without
it and only a clean stop ends it.
"""

import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Set the parent-death signal, check that the parent is still alive, and exec the program."""
    parent, program, arguments = int(sys.argv[1]), sys.argv[2], sys.argv[2:]
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415  # a platform without the call may lack it

        if ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL) != 0:
            sys.exit("prctl(PR_SET_PDEATHSIG) failed")
        if os.getppid() != parent:  # it died before the call above could take effect
            sys.exit(1)
    try:
        os.execvp(program, arguments)  # noqa: S606  # that is the purpose
    except OSError as error:
        sys.exit(f"{program}: {error.strerror}")


if __name__ == "__main__":
    main()
