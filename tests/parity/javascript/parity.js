// The newest AWS SDK for JavaScript against the region at AWS_ENDPOINT_URL: checksummed and streamed
// uploads, virtual-host addressing, SQS over JSON, long polls, presigned URLs, EC2's networks and (for
// root) instances. Exits 1 on a failure.
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { Agent } from "node:http";
import { Readable } from "node:stream";
import { test } from "node:test";

import * as ec2 from "@aws-sdk/client-ec2";
import * as lambda from "@aws-sdk/client-lambda";
import * as s3 from "@aws-sdk/client-s3";
import * as sqs from "@aws-sdk/client-sqs";
import * as sts from "@aws-sdk/client-sts";
import { getSignedUrl } from "@aws-sdk/s3-request-presigner";

const client = new s3.S3Client({ forcePathStyle: true });
const Bucket = "javascript-" + randomBytes(4).toString("hex");

test("STS says who calls", async () => {
  const who = await new sts.STSClient().send(new sts.GetCallerIdentityCommand());
  assert.equal(who.Arn, "arn:aws:iam::000000000000:root");
});

test("S3 objects, checksums and streams", async () => {
  await client.send(new s3.CreateBucketCommand({ Bucket }));
  const Body = randomBytes(1_000_000);
  const put = await client.send(new s3.PutObjectCommand({ Bucket, Key: "a b/ü", Body }));
  assert.equal(put.ETag, `"${createHash("md5").update(Body).digest("hex")}"`);
  const got = await client.send(new s3.GetObjectCommand({ Bucket, Key: "a b/ü" }));
  assert.deepEqual(Buffer.from(await got.Body.transformToByteArray()), Body);
  for (const ChecksumAlgorithm of ["CRC32", "CRC32C", "SHA1", "SHA256"]) {
    await client.send(new s3.PutObjectCommand({
      Bucket, Key: ChecksumAlgorithm, Body: "hello", ChecksumAlgorithm }));
  }
  await client.send(new s3.PutObjectCommand({
    Bucket, Key: "stream", Body: Readable.from([Body]), ContentLength: Body.length }));
  const head = await client.send(new s3.HeadObjectCommand({ Bucket, Key: "stream" }));
  assert.equal(head.ContentLength, Body.length);
  const listed = await client.send(new s3.ListObjectsV2Command({ Bucket }));
  assert.equal(listed.KeyCount, 6);
  await client.send(new s3.DeleteObjectsCommand({
    Bucket, Delete: { Objects: listed.Contents.map(({ Key }) => ({ Key })) } }));
  await assert.rejects(client.send(new s3.GetObjectCommand({ Bucket, Key: "stream" })),
    { name: "NoSuchKey" });
});

test("S3 by virtual host", async () => {
  const endpoint = process.env.AWS_ENDPOINT_URL.replace("127.0.0.1", "localhost");
  // Browsers resolve *.localhost themselves; Node asks the system, which may not know it.
  const httpAgent = new Agent({ lookup: (name, options, done) => options.all
    ? done(null, [{ address: "127.0.0.1", family: 4 }]) : done(null, "127.0.0.1", 4) });
  const virtual = new s3.S3Client({ endpoint, requestHandler: { httpAgent } });
  await virtual.send(new s3.PutObjectCommand({ Bucket, Key: "virtual", Body: "v" }));
  const got = await virtual.send(new s3.GetObjectCommand({ Bucket, Key: "virtual" }));
  assert.equal(await got.Body.transformToString(), "v");
});

test("S3 presigned URLs", async () => {
  await client.send(new s3.PutObjectCommand({ Bucket, Key: "signed", Body: "signed" }));
  const url = await getSignedUrl(client, new s3.GetObjectCommand({ Bucket, Key: "signed" }));
  assert.equal(await (await fetch(url)).text(), "signed");
  const forged = url.replace(/X-Amz-Signature=./,
    (found) => found.slice(0, -1) + (found.endsWith("0") ? "1" : "0"));
  assert.equal((await fetch(forged)).status, 403);
});

test("SQS over JSON", async () => {
  const queue = new sqs.SQSClient();
  const { QueueUrl } = await queue.send(new sqs.CreateQueueCommand({ QueueName: "javascript" }));
  const poll = queue.send(new sqs.ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 20 }));
  await queue.send(new sqs.SendMessageCommand({
    QueueUrl, MessageBody: "hello",
    MessageAttributes: { a: { DataType: "Binary", BinaryValue: Buffer.from([1, 2]) } } }));
  const { Messages } = await poll;
  assert.equal(Messages[0].Body, "hello");
  await queue.send(new sqs.DeleteMessageCommand({
    QueueUrl, ReceiptHandle: Messages[0].ReceiptHandle }));
  await assert.rejects(
    queue.send(new sqs.GetQueueUrlCommand({ QueueName: "none" })),
    { name: "QueueDoesNotExist" });
});

test("Lambda errors", async () => {
  await assert.rejects(
    new lambda.LambdaClient().send(new lambda.InvokeCommand({ FunctionName: "none" })),
    { name: "ResourceNotFoundException" });
});

const cloud = new ec2.EC2Client({ maxAttempts: 1 });
const waiting = { client: cloud, minDelay: 1, maxDelay: 1, maxWaitTime: 60 };

async function makeNetwork() {
  const { Vpc: { VpcId } } = await cloud.send(new ec2.CreateVpcCommand({
    CidrBlock: "10.0.0.0/16",
    TagSpecifications: [{ ResourceType: "vpc", Tags: [{ Key: "Name", Value: "javascript" }] }] }));
  await ec2.waitUntilVpcAvailable(waiting, { VpcIds: [VpcId] });
  const { Subnet: { SubnetId } } = await cloud.send(new ec2.CreateSubnetCommand({
    VpcId, CidrBlock: "10.0.1.0/24", AvailabilityZone: "us-east-1b" }));
  const { GroupId } = await cloud.send(new ec2.CreateSecurityGroupCommand({
    VpcId, GroupName: "http", Description: "http" }));
  const IpPermissions = [{ IpProtocol: "tcp", FromPort: 80, ToPort: 80,
    IpRanges: [{ CidrIp: "0.0.0.0/0", Description: "all" }] }];
  await cloud.send(new ec2.AuthorizeSecurityGroupIngressCommand({ GroupId, IpPermissions }));
  await assert.rejects(
    cloud.send(new ec2.AuthorizeSecurityGroupIngressCommand({ GroupId, IpPermissions })),
    { name: "InvalidPermission.Duplicate" });
  return { VpcId, SubnetId, GroupId };
}

async function removeNetwork({ VpcId, SubnetId, GroupId }) {
  await cloud.send(new ec2.DeleteSecurityGroupCommand({ GroupId }));
  await cloud.send(new ec2.DeleteSubnetCommand({ SubnetId }));
  await cloud.send(new ec2.DeleteVpcCommand({ VpcId }));
  await assert.rejects(cloud.send(new ec2.DescribeVpcsCommand({ VpcIds: [VpcId] })),
    { name: "InvalidVpcID.NotFound" });
}

test("EC2 networks", async () => {
  const network = await makeNetwork();
  const names = [];
  const pages = ec2.paginateDescribeSecurityGroups({ client: cloud, pageSize: 5 },
    { Filters: [{ Name: "vpc-id", Values: [network.VpcId] }] });
  for await (const page of pages) names.push(...page.SecurityGroups.map((one) => one.GroupName));
  assert.deepEqual(names.sort(), ["default", "http"]);
  const { Vpcs } = await cloud.send(new ec2.DescribeVpcsCommand({
    Filters: [{ Name: "tag:Name", Values: ["java*"] }] }));
  assert.equal(Vpcs[0].VpcId, network.VpcId);
  await assert.rejects(cloud.send(new ec2.DeleteVpcCommand({ VpcId: network.VpcId })),
    { name: "DependencyViolation" });
  await removeNetwork(network);
});

test("EC2 instances", { skip: process.getuid() !== 0 && "instances need root" }, async () => {
  const network = await makeNetwork();
  const { Images } = await cloud.send(new ec2.DescribeImagesCommand({ Owners: ["amazon"] }));
  const { Instances: [{ InstanceId }] } = await cloud.send(new ec2.RunInstancesCommand({
    ImageId: Images[0].ImageId, InstanceType: "t2.nano", MinCount: 1, MaxCount: 1,
    SubnetId: network.SubnetId, SecurityGroupIds: [network.GroupId] }));
  const wanted = { InstanceIds: [InstanceId] };
  await ec2.waitUntilInstanceRunning(waiting, wanted);
  await ec2.waitUntilInstanceStatusOk(waiting, wanted);
  const { Reservations } = await cloud.send(new ec2.DescribeInstancesCommand(wanted));
  const [instance] = Reservations[0].Instances;
  assert.match(instance.PrivateIpAddress, /^10\.0\.1\.\d+$/);
  assert.ok(instance.LaunchTime instanceof Date);
  assert.equal(instance.Placement.AvailabilityZone, "us-east-1b");
  const { TerminatingInstances } = await cloud.send(new ec2.TerminateInstancesCommand(wanted));
  assert.equal(TerminatingInstances[0].PreviousState.Name, "running");
  await ec2.waitUntilInstanceTerminated(waiting, wanted);
  await removeNetwork(network);
});
