"""How the host speaks gRPC: on loopback, with messages as large as the engine's."""

LOOPBACK = "127.0.0.1"
LARGEST_MESSAGE = 400 * 1024 * 1024  # bytes, the engine's own limit
OPTIONS = (
    ("grpc.max_send_message_length", LARGEST_MESSAGE),
    ("grpc.max_receive_message_length", LARGEST_MESSAGE),
    ("grpc.so_reuseport", 0),
)
