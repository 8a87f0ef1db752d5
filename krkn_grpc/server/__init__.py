"""The gRPC server: it validates requests, and writes and reads resources. It keeps no state.

`app` assembles it; `interceptors.errors` maps each exception to a status by the table in `errors`;
`targets` and `runs` hold one service each: servicer, validation, translation and the work itself.
"""

import os

# gRPC's core writes lines of plain text beside our log; what matters in them is an error of a call,
# too. It reads this when it is imported.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
