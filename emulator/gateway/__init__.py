"""API Gateway's WebSocket APIs and the HTTP endpoints beside them, as AWS documents them."""
