"""The one table: its port, its keys, its rows, when a read or write is repeated, and values too long for a row."""
