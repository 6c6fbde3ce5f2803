"""The AWS side: adapters of the ports, and one composition root per Lambda function. Only here is boto3 imported."""
