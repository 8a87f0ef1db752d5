"""The edge: Envoy in front of the gRPC server, with REST and gRPC on one port.

`settings` says what can be set, `render` makes the one configuration file that Envoy reads, and
`command` says how to start Envoy with it. `envoy.yaml.j2` is the configuration to read and to
change; the `.lua` files are what it runs.

Nothing here runs in a request's way: it is for whoever starts Envoy. The name is also that of the
package that brings Envoy's binary, so this one is never installed, only run from the project's
root.
"""
