// Queues themselves: made, found, changed, listed, deleted; who may use them.
#include <gtest/gtest.h>

#include "terrarium/services/sqs/testing_region.h"

namespace terrarium::sqs {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kMissing = "QueueDoesNotExist";

TEST(SqsQueue, UrlCarriesTheCallersEndpointAndOnlyItsPathCounts) {
  TestingRegion region;
  EXPECT_EQ(region.create("pictures"), "http://127.0.0.1:4566/000000000000/pictures");
  EXPECT_EQ(
      region.attribute("https://sqs.us-east-1.amazonaws.com/000000000000/pictures", "QueueArn"),
      "arn:aws:sqs:us-east-1:000000000000:pictures");
  EXPECT_EQ(region.attribute("/000000000000/pictures", "VisibilityTimeout"), "30");
  EXPECT_EQ(region.attribute("http://127.0.0.1/000000000000/other", "QueueArn"), kMissing);
  EXPECT_EQ(region.attribute("http://127.0.0.1/111111111111/pictures", "QueueArn"), kMissing);
  for (const std::string good : {"pictures", "http://x:1/queue/us-east-1/000000000000/pictures",
                                 "http://us-east-1.queue.localhost/000000000000/pictures/"}) {
    EXPECT_EQ(region.attribute(good, "VisibilityTimeout"), "30") << good;
  }
  EXPECT_EQ(region.attribute("/queue/eu-west-1/000000000000/pictures", "QueueArn"), kMissing);
  for (const std::string wrong :
       {"", "http://127.0.0.1", "http://127.0.0.1/x", "/a/b/c", "//pictures", "/000000000000/"}) {
    EXPECT_EQ(region.attribute(wrong, "QueueArn"), "InvalidAddress") << wrong;
  }
}

TEST(SqsQueue, CreatingTwiceNeedsEqualAttributes) {
  TestingRegion region;
  region.create("q", {{"DelaySeconds", "5"}});
  const auto again = [&](AttributeMap attributes) {
    return code_of(region.ask(region.service->create_queue(
        region.context, {.queue_name = "q", .attributes = std::move(attributes)})));
  };
  EXPECT_EQ(again({}), "none");
  EXPECT_EQ(again({{"DelaySeconds", "5"}, {"VisibilityTimeout", "30"}}), "none");
  EXPECT_EQ(again({{"DelaySeconds", "6"}}), "QueueNameExists");
}

TEST(SqsQueue, NamesAndAttributesAreChecked) {
  TestingRegion region;
  const auto create = [&](std::string name, AttributeMap attributes) {
    return code_of(region.ask(region.service->create_queue(
        region.context, {.queue_name = std::move(name), .attributes = std::move(attributes)})));
  };
  EXPECT_EQ(create(std::string(80, 'a'), {}), "none");
  EXPECT_EQ(create(std::string(81, 'a'), {}), "InvalidParameterValueException");
  EXPECT_EQ(create("a b", {}), "InvalidParameterValueException");
  EXPECT_EQ(create("", {}), "InvalidParameterValueException");
  EXPECT_EQ(create("q.fifo", {{"FifoQueue", "true"}}), "none");
  EXPECT_EQ(create("r.fifo", {}), "InvalidParameterValueException");
  EXPECT_EQ(create("r", {{"FifoQueue", "true"}}), "InvalidParameterValueException");
  EXPECT_EQ(create("q", {{"DelaySeconds", "x"}}), "InvalidAttributeValue");
  EXPECT_EQ(create("q", {{"QueueArn", "x"}}), "InvalidAttributeName");
}

TEST(SqsQueue, AttributesReadBackAsSetAndSurviveARestart) {
  TestingRegion region;
  const std::string url = region.create("q", {{"VisibilityTimeout", "7"}});
  region.advance(10s);
  ASSERT_TRUE(region.set(url, {{"DelaySeconds", "3"}}).has_value());
  region.restart();
  const auto all =
      region.ask(region.service->get_queue_attributes(region.context, {url, {{"All"}}}));
  ASSERT_TRUE(all.has_value());
  const AttributeMap expected{{"ApproximateNumberOfMessages", "0"},
                              {"ApproximateNumberOfMessagesDelayed", "0"},
                              {"ApproximateNumberOfMessagesNotVisible", "0"},
                              {"CreatedTimestamp", "1700000000"},
                              {"DelaySeconds", "3"},
                              {"LastModifiedTimestamp", "1700000010"},
                              {"MaximumMessageSize", "1048576"},
                              {"MessageRetentionPeriod", "345600"},
                              {"QueueArn", "arn:aws:sqs:us-east-1:000000000000:q"},
                              {"ReceiveMessageWaitTimeSeconds", "0"},
                              {"SqsManagedSseEnabled", "true"},
                              {"VisibilityTimeout", "7"}};
  EXPECT_EQ(*all->attributes, expected);
  EXPECT_EQ(region.attribute(url, "Nonsense"), "InvalidAttributeName");
  EXPECT_FALSE(region.ask(region.service->get_queue_attributes(region.context, {.queue_url = url}))
                   ->attributes.has_value());
}

TEST(SqsQueue, DeletedNameIsHeldForAMinuteAndTheNewQueueIsEmpty) {
  TestingRegion region;
  const std::string url = region.create("q");
  region.send(url, "old");
  const std::string handle = *region.receive(url).front().receipt_handle;
  ASSERT_TRUE(region.ask(region.service->delete_queue(region.context, {url})).has_value());
  EXPECT_EQ(region.attribute(url, "QueueArn"), kMissing);
  EXPECT_EQ(code_of(region.ask(region.service->create_queue(region.context, {.queue_name = "q"}))),
            "QueueDeletedRecently");
  region.advance(59s);
  region.restart();
  EXPECT_EQ(code_of(region.ask(region.service->create_queue(region.context, {.queue_name = "q"}))),
            "QueueDeletedRecently");
  region.advance(1s);
  region.create("q");
  EXPECT_EQ(region.bodies(url), "");
  EXPECT_EQ(region.attribute(url, "ApproximateNumberOfMessagesNotVisible"), "0");
  EXPECT_EQ(code_of(region.ask(region.service->delete_message(region.context, {url, handle}))),
            "ReceiptHandleIsInvalid");
  EXPECT_FALSE(region.store->scan(store::Table::Sqs, "i", "j")->valid());
  EXPECT_FALSE(region.store->scan(store::Table::Sqs, "m", "n")->valid());
}

TEST(SqsQueue, ListsByPrefixAndPageAndRegion) {
  TestingRegion region;
  for (const char* name : {"a1", "a2", "a3", "b1"}) region.create(name);
  region.context.region = "eu-west-1";
  region.create("a9");
  const auto list = [&](ListQueuesRequest request) {
    return *region.ask(region.service->list_queues(region.context, std::move(request)));
  };
  EXPECT_EQ(list({}).queue_urls->size(), 1U);
  region.context.region = "us-east-1";
  EXPECT_EQ(list({}).queue_urls->size(), 4U);
  EXPECT_EQ(list({.queue_name_prefix = "a"}).queue_urls->size(), 3U);
  EXPECT_FALSE(list({.queue_name_prefix = "z"}).queue_urls.has_value());
  const auto first = list({.queue_name_prefix = "a", .max_results = 2});
  EXPECT_EQ(first.queue_urls->size(), 2U);
  ASSERT_TRUE(first.next_token.has_value());
  const auto second =
      list({.queue_name_prefix = "a", .next_token = first.next_token, .max_results = 2});
  EXPECT_EQ(*second.queue_urls,
            (std::vector{std::string("http://127.0.0.1:4566/000000000000/a3")}));
  EXPECT_FALSE(second.next_token.has_value());
  for (const std::int32_t wrong : {0, 1001}) {
    EXPECT_EQ(
        code_of(region.ask(region.service->list_queues(region.context, {.max_results = wrong}))),
        "InvalidParameterValueException");
  }
  EXPECT_EQ(code_of(region.ask(region.service->list_queues(region.context, {.next_token = "?"}))),
            "InvalidParameterValueException");
  EXPECT_EQ(
      *region.ask(region.service->get_queue_url(region.context, {.queue_name = "b1"}))->queue_url,
      "http://127.0.0.1:4566/000000000000/b1");
  EXPECT_EQ(
      code_of(region.ask(region.service->get_queue_url(region.context, {.queue_name = "b2"}))),
      kMissing);
}

TEST(SqsQueue, TagsComeAndGo) {
  TestingRegion region;
  const std::string url = region.create("q");
  ASSERT_TRUE(region.ask(region.service->tag_queue(region.context, {url, {{"a", "1"}, {"b", ""}}}))
                  .has_value());
  ASSERT_TRUE(region.ask(region.service->untag_queue(region.context, {url, {"a"}})).has_value());
  region.restart();
  EXPECT_EQ(*region.ask(region.service->list_queue_tags(region.context, {url}))->tags,
            (AttributeMap{{"b", ""}}));
  EXPECT_EQ(code_of(region.ask(region.service->tag_queue(region.context, {url, {{"aws:x", ""}}}))),
            "InvalidParameterValueException");
}

TEST(SqsQueue, RedrivePolicyNeedsAnExistingQueueThatAllowsIt) {
  TestingRegion region;
  const std::string url = region.create("q");
  const std::string policy =
      R"({"deadLetterTargetArn":"arn:aws:sqs:us-east-1:000000000000:dead","maxReceiveCount":2})";
  EXPECT_EQ(code_of(region.set(url, {{"RedrivePolicy", policy}})),
            "InvalidParameterValueException");
  const std::string dead =
      region.create("dead", {{"RedriveAllowPolicy", R"({"redrivePermission":"denyAll"})"}});
  EXPECT_EQ(code_of(region.set(url, {{"RedrivePolicy", policy}})),
            "InvalidParameterValueException");
  ASSERT_TRUE(region.set(dead, {{"RedriveAllowPolicy", ""}}).has_value());
  ASSERT_TRUE(region.set(url, {{"RedrivePolicy", policy}}).has_value());
  EXPECT_EQ(region.attribute(url, "RedrivePolicy"), policy);
  const auto sources = region.ask(
      region.service->list_dead_letter_source_queues(region.context, {.queue_url = dead}));
  EXPECT_EQ(sources->queue_urls, (std::vector<std::string>{url}));
  region.create("f.fifo", {{"FifoQueue", "true"}});
  EXPECT_EQ(code_of(region.set("f.fifo", {{"RedrivePolicy", policy}})),
            "InvalidParameterValueException")
      << "a FIFO queue's dead-letter queue must be one too";
  EXPECT_EQ(code_of(region.set(dead, {{"RedrivePolicy", policy}})),
            "InvalidParameterValueException");
  ASSERT_TRUE(region.set(url, {{"RedrivePolicy", ""}}).has_value());
  EXPECT_EQ(region.attribute(url, "RedrivePolicy"), "");
}

TEST(SqsQueue, StatusCountsMessagesAndAgesTheOldest) {
  TestingRegion region;
  const std::string url = region.create("q");
  region.send(url, "old");
  region.send(url, "later", 900);
  region.advance(90s);
  region.send(url, "new");
  region.receive(url, 1);
  const boost::json::array status = region.service->status();
  ASSERT_EQ(status.size(), 1U);
  EXPECT_EQ(boost::json::serialize(status),
            R"([{"queue":"q","region":"us-east-1","visible":1,"in flight":1,"delayed":1,)"
            R"("oldest age seconds":90}])");
}

TEST(SqsQueue, ActionsThatAreNotForAQueueAreRefusedAtItsUrl) {
  TestingRegion region;
  const std::string url = region.create("q");
  const auto listed = region.ask(region.service->list_queues(region.context, {.queue_url = url}));
  ASSERT_FALSE(listed.has_value());
  EXPECT_EQ(listed.error().message, "The action ListQueues is not valid for this endpoint.");
  EXPECT_EQ(code_of(region.ask(region.service->get_queue_url(
                region.context, {.queue_name = "q", .queue_url = url}))),
            "none");
}

TEST(SqsPolicy, StrangersNeedAPolicyAndDenyBindsTheOwner) {
  TestingRegion region;
  const std::string url = region.create("q");
  const wire::Principal owner = region.context.principal;
  region.context.principal = {};
  region.context.source_ip = "192.0.2.7";
  EXPECT_EQ(region.send(url, "x"), "AccessDeniedException");
  EXPECT_EQ(code_of(region.ask(region.service->create_queue(region.context, {.queue_name = "r"}))),
            "AccessDeniedException");
  region.context.principal = owner;
  ASSERT_TRUE(region
                  .set(url, {{"Policy", R"({"Version":"2012-10-17","Statement":[
      {"Effect":"Allow","Principal":"*","Action":"sqs:SendMessage","Resource":"*",
       "Condition":{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}},
      {"Effect":"Deny","Principal":"*","Action":"sqs:PurgeQueue","Resource":"*"}]})"}})
                  .has_value());
  EXPECT_EQ(code_of(region.ask(region.service->purge_queue(region.context, {url}))),
            "AccessDeniedException");
  region.context.principal = {};
  EXPECT_EQ(region.send(url, "from a stranger").size(), 36U);
  EXPECT_EQ(
      code_of(region.ask(region.service->receive_message(region.context, {.queue_url = url}))),
      "AccessDeniedException");
  region.context.principal = owner;
  EXPECT_EQ(region.receive(url).front().attributes->at("SenderId"), "192.0.2.7");
}

TEST(SqsPolicy, ServicesSendOnlyWhereThePolicyAllowsTheirResource) {
  TestingRegion region;
  const std::string url = region.create("q");
  const std::string arn = region.attribute(url, "QueueArn");
  const auto from = [](std::string bucket) {
    return SendingService{"s3.amazonaws.com", "arn:aws:s3:::" + bucket, "000000000000"};
  };
  EXPECT_EQ(code_of(region.ask(region.service->check_can_send(from("raw"), arn))),
            "AccessDeniedException");
  ASSERT_TRUE(region
                  .set(url, {{"Policy", R"({"Version":"2012-10-17","Statement":{"Effect":"Allow",
      "Principal":{"Service":"s3.amazonaws.com"},"Action":"sqs:SendMessage","Resource":"*",
      "Condition":{"ArnEquals":{"aws:SourceArn":"arn:aws:s3:::raw"}}}})"}})
                  .has_value());
  EXPECT_EQ(code_of(region.ask(region.service->check_can_send(from("raw"), arn))), "none");
  EXPECT_EQ(code_of(region.ask(region.service->send(from("raw"), arn, "event"))), "none");
  EXPECT_EQ(code_of(region.ask(region.service->send(from("other"), arn, "event"))),
            "AccessDeniedException");
  EXPECT_EQ(code_of(region.ask(region.service->send(from("raw"), arn + "x", "event"))), kMissing);
  EXPECT_EQ(region.bodies(url), "event");
}

TEST(SqsPolicy, PermissionsAreStatementsOfThePolicy) {
  TestingRegion region;
  const std::string url = region.create("q");
  ASSERT_TRUE(region
                  .ask(region.service->add_permission(
                      region.context, {url, "friends", {"111111111111"}, {"SendMessage"}}))
                  .has_value());
  region.context.principal.account = "111111111111";
  EXPECT_EQ(region.send(url, "x").size(), 36U);
  EXPECT_EQ(
      code_of(region.ask(region.service->receive_message(region.context, {.queue_url = url}))),
      "AccessDeniedException");
  region.context.principal.account = "000000000000";
  ASSERT_TRUE(
      region.ask(region.service->remove_permission(region.context, {url, "friends"})).has_value());
  EXPECT_EQ(region.attribute(url, "Policy"), "");
}

}  // namespace
}  // namespace terrarium::sqs
