"""`make run`: everything on this machine, from the control plane to Envoy, until Ctrl-C."""

import sys

from deploy.local.errors import StartError
from deploy.local.run import main

try:
    main()
except (StartError, OSError) as error:  # the system's, of a full disk, say, name the file
    sys.exit(f"krkn-grpc cannot start: {error}")
except KeyboardInterrupt:
    sys.exit(130)
