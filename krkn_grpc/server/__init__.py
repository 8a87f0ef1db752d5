"""The gRPC server: it validates requests, and writes and reads resources. It keeps no state.

`app` assembles it; `interceptors.errors` maps each exception to a status by the table in `errors`;
`targets` and `runs` hold one service each: servicer, validation, translation and the work itself.
"""
