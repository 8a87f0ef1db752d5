"""The gRPC server: it checks a request, writes resources, and reads them back. It keeps nothing.

`assembly` wires it up, `boundary` turns every exception into a status by the table in `errors`,
`targets` and `runs` hold one service each: servicer, check, translate, and what the service does.
"""
