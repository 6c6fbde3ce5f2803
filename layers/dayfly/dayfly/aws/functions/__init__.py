"""One composition root for each Lambda function, and the wiring that they share: only here are the parts put together."""
