"""CloudWatch Logs as boto3 and the AWS CLI use it; durability across kill -9."""
import json
import subprocess
import time
import unittest

from harness import Region, RegionTest


def now():
    return int(time.time() * 1000)


class LogsParity(RegionTest):
    def setUp(self):
        self.logs = self.region.client("logs")
        self.group = "/test/" + self.id().rsplit(".", 1)[1]
        self.logs.create_log_group(logGroupName=self.group, tags={"team": "a"})
        self.logs.create_log_stream(logGroupName=self.group, logStreamName="s")

    def put(self, *messages, stream="s", at=None):
        at = at or now()
        return self.logs.put_log_events(
            logGroupName=self.group, logStreamName=stream,
            logEvents=[{"timestamp": at + i, "message": text} for i, text in enumerate(messages)])

    def found(self, pattern, **options):
        pages = self.logs.get_paginator("filter_log_events").paginate(
            logGroupName=self.group, filterPattern=pattern, **options)
        return [event["message"] for page in pages for event in page["events"]]

    def test_events_are_paged_both_ways_and_end_with_the_same_token(self):
        self.put(*[str(i) for i in range(10)])
        read = dict(logGroupName=self.group, logStreamName="s")
        page = self.logs.get_log_events(limit=4, startFromHead=True, **read)
        self.assertEqual([event["message"] for event in page["events"]], list("0123"))
        rest = self.logs.get_log_events(nextToken=page["nextForwardToken"], **read)
        self.assertEqual(len(rest["events"]), 6)
        end = self.logs.get_log_events(nextToken=rest["nextForwardToken"], **read)
        self.assertEqual((end["events"], end["nextForwardToken"]), ([], rest["nextForwardToken"]))
        back = self.logs.get_log_events(nextToken=rest["nextBackwardToken"], limit=2, **read)
        self.assertEqual([event["message"] for event in back["events"]], list("23"))

    def test_patterns_select_text_json_and_fields(self):
        self.put("ERROR one", json.dumps({"level": "warn", "n": 7, "list": [{"id": 1}], "x": None}),
                 '127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /a HTTP/1.0" 404 1534')
        for pattern, place in [("ERROR -two", 0), ('"ERROR one"', 0), ("?nothing ?one", 0),
                               ("%ERR[A-Z]+ \\w%", 0), ('{ $.level = "w*" && $.n > 6 }', 1),
                               ("{ $.list[0].id = 1 && $.x IS NULL && $.y NOT EXISTS }", 1),
                               ("[ip, ..., status=4*, size>1000]", 2)]:
            self.assertEqual(len(self.found(pattern)), 1, pattern)
            self.assertTrue(self.found(pattern)[0].startswith(("ERROR", "{", "127")[place]), pattern)
        refused = self.refuses("InvalidParameterException", self.logs.filter_log_events,
                               logGroupName=self.group, filterPattern="{ $.a = }")
        self.assertEqual(refused["Error"]["Message"], "Invalid filter pattern")

    def test_ten_thousand_events_are_filtered_page_by_page(self):
        at = now() - 60_000
        for batch in range(2):
            self.logs.put_log_events(logGroupName=self.group, logStreamName="s", logEvents=[
                {"timestamp": at + i, "message": f"{'odd' if i % 2 else 'even'} {i}"}
                for i in range(batch * 5000, batch * 5000 + 5000)])
        self.assertEqual(len(self.found("odd", PaginationConfig={"PageSize": 1000})), 5000)
        group = self.logs.describe_log_groups(logGroupNamePrefix=self.group)["logGroups"][0]
        self.assertGreater(group["storedBytes"], 10_000 * 26)

    def test_answers_and_refusals_are_awss(self):
        [group] = self.logs.describe_log_groups(logGroupNamePrefix=self.group)["logGroups"]
        arn = f"arn:aws:logs:us-east-1:000000000000:log-group:{self.group}"
        self.assertEqual((group["arn"], group["metricFilterCount"]), (arn + ":*", 0))
        self.assertEqual(self.logs.list_tags_for_resource(resourceArn=arn)["tags"], {"team": "a"})
        for code, message, call, arguments in [
                ("ResourceAlreadyExistsException", "The specified log group already exists",
                 self.logs.create_log_group, {"logGroupName": self.group}),
                ("InvalidParameterException",
                 "Invalid LogGroup or LogStream, both must have length less than or equal to 512.",
                 self.logs.create_log_group, {"logGroupName": "a" * 513}),
                ("InvalidParameterException",
                 "1 validation error detected: Value '10001' at 'limit' failed to satisfy "
                 "constraint: Member must have value less than or equal to 10000",
                 self.logs.filter_log_events, {"logGroupName": self.group, "limit": 10_001}),
                ("ResourceNotFoundException", "The specified log stream does not exist.",
                 self.logs.get_log_events, {"logGroupName": self.group, "logStreamName": "no"})]:
            self.assertEqual(self.refuses(code, call, **arguments)["Error"]["Message"], message)
        old = self.put("old", at=now() - 15 * 86_400_000)
        self.assertEqual(old["rejectedLogEventsInfo"], {"tooOldLogEventEndIndex": 1})

    def test_metric_filters_are_kept_and_tried(self):
        self.logs.put_metric_filter(
            logGroupName=self.group, filterName="f", filterPattern="{ $.n = * }",
            metricTransformations=[{"metricName": "N", "metricNamespace": "App",
                                    "metricValue": "$.n", "defaultValue": 0}])
        [kept] = self.logs.describe_metric_filters(logGroupName=self.group)["metricFilters"]
        self.assertEqual(kept["metricTransformations"][0]["metricValue"], "$.n")
        matches = self.logs.test_metric_filter(
            filterPattern="{ $.n = * }", logEventMessages=["x", '{"n": 5}'])["matches"]
        self.assertEqual([(match["eventNumber"], match["extractedValues"]) for match in matches],
                         [(2, {"$.n": "5"})])

    def test_the_cli_tails_and_follows(self):
        self.put("ERROR first", "fine")
        tailed = self.region.cli("logs", "tail", self.group, "--since", "1h",
                                 "--filter-pattern", "ERROR", "--format", "short")
        self.assertIn("ERROR first", tailed)
        self.assertNotIn("fine", tailed)
        follower = subprocess.Popen(
            ["/usr/bin/aws", "--endpoint-url", self.region.endpoint, "logs", "tail", self.group,
             "--follow", "--format", "short"], stdout=subprocess.PIPE, text=True,
            env={"PATH": "/usr/bin:/bin", "HOME": str(self.region.state), "PYTHONUNBUFFERED": "1",
                 "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
                 "AWS_DEFAULT_REGION": "us-east-1", "LC_ALL": "C.UTF-8"})
        try:
            self.assertIn("ERROR first", follower.stdout.readline())
            self.assertIn("fine", follower.stdout.readline())
            self.put("later")
            self.assertIn("later", follower.stdout.readline())
        finally:
            follower.kill()
            follower.wait(10)
            follower.stdout.close()


class LogsDurability(unittest.TestCase):
    def test_acknowledged_events_survive_kill_9(self):
        region = Region()
        self.addCleanup(region.stop)
        region.start()
        logs = region.client("logs")
        logs.create_log_group(logGroupName="g")
        logs.create_log_stream(logGroupName="g", logStreamName="s")
        for i in range(50):
            logs.put_log_events(logGroupName="g", logStreamName="s",
                                logEvents=[{"timestamp": now(), "message": str(i)}])
        region.kill()
        region.start()
        events = region.client("logs").get_log_events(
            logGroupName="g", logStreamName="s", startFromHead=True)["events"]
        self.assertEqual([event["message"] for event in events], [str(i) for i in range(50)])


if __name__ == "__main__":
    unittest.main()
