"""Facts about Lambda, asked of a SAM application through its Invoke API."""
