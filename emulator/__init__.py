"""Plays AWS on one machine: API Gateway WebSocket, Lambda, and the state behind them."""
