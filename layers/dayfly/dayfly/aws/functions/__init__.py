"""One composition root for each Lambda function."""
