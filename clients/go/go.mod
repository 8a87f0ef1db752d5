// The client of krkn-grpc in Go: krkn/v1 is generated from the protos (proto/clients.py).
module github.com/krkn-chaos/krkn-grpc/clients/go

go 1.26.0

require (
	google.golang.org/genproto/googleapis/api v0.0.0-20261110000943-09e21b237f2c
	google.golang.org/genproto/googleapis/rpc v0.0.0-20261110000943-09e21b237f2c
	google.golang.org/grpc v1.85.0
	google.golang.org/protobuf v1.36.12
)

require (
	golang.org/x/net v0.60.0 // indirect
	golang.org/x/sys v0.48.0 // indirect
	golang.org/x/text v0.42.0 // indirect
)

// An example, built by the tests.
tool github.com/krkn-chaos/krkn-grpc/clients/go/examples/quickstart
