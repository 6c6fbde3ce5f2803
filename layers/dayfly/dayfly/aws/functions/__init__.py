"""One composition root for each Lambda function: here, and nowhere else, the parts are put together."""
