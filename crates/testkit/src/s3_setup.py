"""Makes a user with keys and a bucket on the S3 server at argv[1]; prints the key's id and secret."""

import json
import sys

import boto3


def client(service, key, secret):
    return boto3.client(
        service,
        endpoint_url=sys.argv[1],
        region_name="us-east-1",
        aws_access_key_id=key,
        aws_secret_access_key=secret,
    )


# The server checks signatures and rights from its fourth request on.
iam = client("iam", "nobody", "nothing")
iam.create_user(UserName="lake")
key = iam.create_access_key(UserName="lake")["AccessKey"]
everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
policy = json.dumps({"Version": "2012-10-17", "Statement": [everything]})
iam.put_user_policy(UserName="lake", PolicyName="all", PolicyDocument=policy)
client("s3", key["AccessKeyId"], key["SecretAccessKey"]).create_bucket(Bucket="lake")
print(key["AccessKeyId"], key["SecretAccessKey"])
