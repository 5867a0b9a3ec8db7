"""The tools: the engine and a Kubernetes control plane, built from Go modules into `.toolchain`."""
