"""One composition root for each Lambda function, and the wiring they share: only here are the parts put together."""
