"""The command `krkn-grpc`: a thin layer over the gRPC services.

It knows the services by `krkn_grpc.v1` alone, as any other client does. What it adds is what a
person at a terminal, or a pipeline, needs: files and variables become requests, calls are
repeated where that is safe, a watch that is cut goes on, and replies become tables or JSON.
"""
