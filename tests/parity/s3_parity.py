"""S3 as boto3, the AWS CLI and plain HTTP clients use it."""
import hashlib
import io
import json
import os
import pathlib
import tempfile
import unittest
import urllib.error
import urllib.request

from harness import RegionTest


class S3Parity(RegionTest):
    def setUp(self):
        self.s3 = self.region.client("s3")
        self.bucket = "bucket-" + hashlib.md5(self.id().encode()).hexdigest()[:10]
        self.s3.create_bucket(Bucket=self.bucket)

    def test_an_object_comes_back_as_it_was_put(self):
        body = os.urandom(3_000_000)
        put = self.s3.put_object(Bucket=self.bucket, Key="a b/ü+%.bin", Body=body,
                                 ContentType="image/png", Metadata={"who": "me"})
        self.assertEqual(put["ETag"], f'"{hashlib.md5(body).hexdigest()}"')
        got = self.s3.get_object(Bucket=self.bucket, Key="a b/ü+%.bin")
        self.assertEqual(got["Body"].read(), body)
        self.assertEqual(got["ContentType"], "image/png")
        self.assertEqual(got["Metadata"], {"who": "me"})
        self.assertEqual(got["ETag"], put["ETag"])
        head = self.s3.head_object(Bucket=self.bucket, Key="a b/ü+%.bin")
        self.assertEqual(head["ContentLength"], len(body))

    def test_ranges_and_conditions(self):
        self.s3.put_object(Bucket=self.bucket, Key="k", Body=b"0123456789")
        part = self.s3.get_object(Bucket=self.bucket, Key="k", Range="bytes=2-4")
        self.assertEqual((part["Body"].read(), part["ContentRange"]), (b"234", "bytes 2-4/10"))
        tail = self.s3.get_object(Bucket=self.bucket, Key="k", Range="bytes=-3")
        self.assertEqual(tail["Body"].read(), b"789")
        self.refuses("InvalidRange", self.s3.get_object, Bucket=self.bucket, Key="k",
                     Range="bytes=10-")
        etag = part["ETag"]
        self.refuses("304", self.s3.get_object, Bucket=self.bucket, Key="k", IfNoneMatch=etag)
        self.refuses("PreconditionFailed", self.s3.get_object, Bucket=self.bucket, Key="k",
                     IfMatch='"no"')

    def test_listing_groups_and_pages(self):
        keys = [f"{folder}/{i:02}" for folder in ("a", "b", "c") for i in range(5)] + ["top"]
        for key in keys:
            self.s3.put_object(Bucket=self.bucket, Key=key, Body=b"x")
        listed = self.s3.list_objects_v2(Bucket=self.bucket, Delimiter="/")
        self.assertEqual([p["Prefix"] for p in listed["CommonPrefixes"]], ["a/", "b/", "c/"])
        self.assertEqual([o["Key"] for o in listed["Contents"]], ["top"])
        pages = self.s3.get_paginator("list_objects_v2").paginate(
            Bucket=self.bucket, PaginationConfig={"PageSize": 4})
        self.assertEqual([o["Key"] for page in pages for o in page["Contents"]], sorted(keys))

    def test_multipart_upload(self):
        parts = [os.urandom(5 * 1024 * 1024), os.urandom(100)]
        upload = self.s3.create_multipart_upload(Bucket=self.bucket, Key="big")["UploadId"]
        done = [{"PartNumber": number, "ETag": self.s3.upload_part(
            Bucket=self.bucket, Key="big", UploadId=upload, PartNumber=number, Body=part)["ETag"]}
            for number, part in enumerate(parts, 1)]
        whole = self.s3.complete_multipart_upload(
            Bucket=self.bucket, Key="big", UploadId=upload, MultipartUpload={"Parts": done})
        digest = hashlib.md5(b"".join(hashlib.md5(part).digest() for part in parts)).hexdigest()
        self.assertEqual(whole["ETag"], f'"{digest}-2"')
        self.assertEqual(self.s3.get_object(Bucket=self.bucket, Key="big")["Body"].read(),
                         b"".join(parts))

    def test_errors_carry_the_codes_of_aws(self):
        self.refuses("NoSuchKey", self.s3.get_object, Bucket=self.bucket, Key="none")
        self.refuses("NoSuchBucket", self.s3.list_objects_v2, Bucket="no-such-bucket-here")
        self.refuses("404", self.s3.head_object, Bucket=self.bucket, Key="none")
        self.s3.put_object(Bucket=self.bucket, Key="k", Body=b"")
        self.refuses("BucketNotEmpty", self.s3.delete_bucket, Bucket=self.bucket)
        stranger = self.region.client("s3", key="AKIAUNKNOWN0000000000")
        self.refuses("InvalidAccessKeyId", stranger.list_buckets)
        forger = self.region.client("s3", secret="wrong")
        self.refuses("SignatureDoesNotMatch", forger.list_buckets)

    def test_presigned_urls_work_and_tampered_ones_do_not(self):
        signer = self.region.client("s3", signature_version="s3v4")
        url = signer.generate_presigned_url(
            "put_object", Params={"Bucket": self.bucket, "Key": "signed"}, ExpiresIn=60)
        urllib.request.urlopen(urllib.request.Request(url, data=b"hello", method="PUT")).close()
        # The second is the older signature, still boto3's own choice for S3 in us-east-1.
        for client in (signer, self.s3):
            url = client.generate_presigned_url(
                "get_object", Params={"Bucket": self.bucket, "Key": "signed"}, ExpiresIn=60)
            with urllib.request.urlopen(url) as answer:
                self.assertEqual(answer.read(), b"hello")
        with self.assertRaises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(url.replace("signed?", "other?"))
        self.assertEqual(caught.exception.code, 403)
        caught.exception.close()

    def test_strangers_read_only_what_a_policy_opens(self):
        self.s3.put_object(Bucket=self.bucket, Key="picture", Body=b"public")
        url = f"{self.region.endpoint}/{self.bucket}/picture"
        with self.assertRaises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(url)
        self.assertEqual(caught.exception.code, 403)
        caught.exception.close()
        policy = json.dumps({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
            "Resource": f"arn:aws:s3:::{self.bucket}/*"}]})
        self.refuses("AccessDenied", self.s3.put_bucket_policy, Bucket=self.bucket, Policy=policy)
        self.s3.delete_public_access_block(Bucket=self.bucket)
        self.s3.put_bucket_policy(Bucket=self.bucket, Policy=policy)
        with urllib.request.urlopen(url) as answer:
            self.assertEqual(answer.read(), b"public")

    def test_virtual_host_addressing(self):
        self.s3.put_object(Bucket=self.bucket, Key="k", Body=b"v")
        self.s3.delete_public_access_block(Bucket=self.bucket)
        self.s3.put_bucket_policy(Bucket=self.bucket, Policy=json.dumps({
            "Version": "2012-10-17", "Statement": [{
                "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject",
                "Resource": f"arn:aws:s3:::{self.bucket}/*"}]}))
        for host in (f"{self.bucket}.localhost:{self.region.port}",
                     f"{self.bucket}.s3.localhost:{self.region.port}",
                     f"{self.bucket}.s3.amazonaws.com"):
            request = urllib.request.Request(f"{self.region.endpoint}/k", headers={"Host": host})
            with urllib.request.urlopen(request) as answer:
                self.assertEqual(answer.read(), b"v", host)

    def test_the_aws_cli_copies_and_syncs(self):
        with tempfile.TemporaryDirectory() as folder:
            big = pathlib.Path(folder, "big.bin")
            big.write_bytes(os.urandom(20 * 1024 * 1024))
            self.region.cli("s3", "cp", str(big), f"s3://{self.bucket}/cli/big.bin")
            back = pathlib.Path(folder, "back.bin")
            self.region.cli("s3", "cp", f"s3://{self.bucket}/cli/big.bin", str(back))
            self.assertEqual(back.read_bytes(), big.read_bytes())
            self.assertIn("big.bin", self.region.cli("s3", "ls", f"s3://{self.bucket}/cli/"))
            self.region.cli("s3", "rm", "--recursive", f"s3://{self.bucket}/cli/")
            self.assertEqual(self.region.cli("s3", "ls", f"s3://{self.bucket}/cli/", check=False
                                             ).stdout, "")

    def test_streams_without_a_known_end(self):
        self.s3.upload_fileobj(io.BytesIO(b"y" * 9_000_000), self.bucket, "stream")
        self.assertEqual(self.s3.head_object(Bucket=self.bucket, Key="stream")["ContentLength"],
                         9_000_000)


if __name__ == "__main__":
    unittest.main()
