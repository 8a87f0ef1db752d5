"""The edge: Envoy in front of the gRPC server, with REST and gRPC on one port.

`settings` are its settings, `render` writes the configuration that Envoy reads, and `command` is
the command line that starts Envoy with it. This code handles no requests: Envoy runs the content of
the folder `envoy`, the template `envoy.yaml.j2` and the Lua of `envoy/lua` (`files` finds it).
"""
