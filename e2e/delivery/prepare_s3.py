"""Fills the S3-compatible server at argv[1], makes a user who may read it, and prints the user's keys as JSON."""
import json
import sys

import boto3

endpoint, model = sys.argv[1], open(sys.argv[2], "rb").read()
common = dict(endpoint_url=endpoint, region_name="eu-west-1", aws_access_key_id="setup", aws_secret_access_key="setup")
s3 = boto3.client("s3", **common)
s3.create_bucket(Bucket="models", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
s3.put_object(Bucket="models", Key="digits/1/model.onnx", Body=b"an old version")
s3.put_object(Bucket="models", Key="digits/2/model.onnx", Body=model)
s3.put_object(Bucket="models", Key="digits/config.pbtxt", Body=b"")
s3.put_object(Bucket="models", Key="a b/ü+&.onnx", Body=model)
s3.put_object(Bucket="models", Key="large.onnx", Body=bytes(range(256)) * 4096 * 40)
s3.put_object(Bucket="models", Key="public.onnx", Body=model, ACL="public-read")
iam = boto3.client("iam", **common)
iam.create_user(UserName="reader")
policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:*"], "Resource": "*"}]}
iam.put_user_policy(UserName="reader", PolicyName="read", PolicyDocument=json.dumps(policy))
role = iam.create_role(RoleName="models", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": []}))
iam.put_role_policy(RoleName="models", PolicyName="read", PolicyDocument=json.dumps(policy))
key = iam.create_access_key(UserName="reader")["AccessKey"]
print(json.dumps({"id": key["AccessKeyId"], "secret": key["SecretAccessKey"], "role": role["Role"]["Arn"]}))
