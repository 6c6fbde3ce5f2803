"""AWS: the adapters of the ports, and one composition root for each Lambda function. Only here is boto3 imported."""
