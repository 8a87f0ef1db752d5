"""krkn-grpc: run krkn chaos scenarios against many Kubernetes clusters by typed gRPC or REST."""
