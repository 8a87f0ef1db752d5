"""The command `krkn-grpc`: a thin layer over the gRPC services.

It uses the services through `krkn_grpc.v1` alone, like any other client. For people at a terminal
and for pipelines it adds: requests from files and variables, retries of calls where that is safe,
watches that resume after a disconnect, and replies as tables or JSON.
"""

import os

# gRPC's own lines on standard error say nothing that the command's error does not.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
