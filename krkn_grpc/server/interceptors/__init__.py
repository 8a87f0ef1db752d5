"""The gRPC interceptors: `errors` maps exceptions to statuses, `auth` authorizes each call.

`decoding` decodes the requests of accepted callers.
"""
