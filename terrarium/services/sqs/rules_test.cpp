// Attributes and messages: what is accepted, what is refused and how.
#include <gtest/gtest.h>

#include "generated/sqs/errors.h"
#include "terrarium/services/sqs/attributes.h"
#include "terrarium/services/sqs/message_rules.h"
#include "terrarium/services/sqs/permissions.h"

namespace terrarium::sqs {
namespace {

std::string code(const base::Result<void>& result) {
  return result.has_value() ? "none" : std::string(result.error().row->code);
}

base::Result<void> check(std::string_view name, std::string_view value, bool fifo = false) {
  return check_change({{std::string(name), std::string(value)}}, {}, fifo);
}

Settings standard() { return *settings_of({}, false); }

CheckedMessage checked(MessageInput input) {
  auto result = check_message(std::move(input), standard());
  EXPECT_TRUE(result.has_value()) << base::describe(result.error());
  return *std::move(result);
}

std::string refusal(MessageInput input) {
  const auto result = check_message(std::move(input), standard());
  return result.has_value() ? "none" : std::string(result.error().row->code);
}

MessageAttributeValue text(std::string type, std::string value) {
  MessageAttributeValue out;
  out.string_value = std::move(value);
  out.data_type = std::move(type);
  return out;
}

MessageInput with(std::string name, MessageAttributeValue value) {
  return {.body = "x", .attributes = {{{std::move(name), std::move(value)}}}};
}

TEST(SqsAttributes, LimitsAreAwsLimits) {
  struct Case {
    std::string_view name;
    std::string_view good[2];
    std::string_view bad[2];
  };
  for (const Case& one : {Case{"DelaySeconds", {"0", "900"}, {"-1", "901"}},
                          Case{"MaximumMessageSize", {"1024", "1048576"}, {"1023", "1048577"}},
                          Case{"MessageRetentionPeriod", {"60", "1209600"}, {"59", "1209601"}},
                          Case{"ReceiveMessageWaitTimeSeconds", {"0", "20"}, {"21", "1.5"}},
                          Case{"VisibilityTimeout", {"0", "43200"}, {"43201", ""}},
                          Case{"SqsManagedSseEnabled", {"true", "false"}, {"yes", ""}}}) {
    for (const auto value : one.good) EXPECT_EQ(code(check(one.name, value)), "none");
    for (const auto value : one.bad) {
      EXPECT_EQ(code(check(one.name, value)), "InvalidAttributeValue") << one.name;
    }
  }
  EXPECT_EQ(code(check("QueueArn", "x")), "InvalidAttributeName");
  EXPECT_EQ(code(check("Nonsense", "x")), "InvalidAttributeName");
  EXPECT_EQ(code(check("KmsMasterKeyId", "alias/a")), "none");
  EXPECT_EQ(code(check("Policy", "{}")), "InvalidAttributeValue");
  EXPECT_EQ(code(check("Policy", "")), "none");
}

TEST(SqsAttributes, FifoAttributesBelongToFifoQueues) {
  for (const std::string_view name :
       {"FifoQueue", "ContentBasedDeduplication", "DeduplicationScope", "FifoThroughputLimit"}) {
    EXPECT_EQ(code(check(name, "true")), "InvalidAttributeName") << name;
  }
  EXPECT_EQ(code(check("FifoQueue", "true", true)), "none");
  EXPECT_EQ(check("FifoQueue", "false", true).error().message,
            "Invalid value for the parameter FifoQueue. Reason: Modifying queue type is not "
            "supported.");
  EXPECT_EQ(code(check("ContentBasedDeduplication", "yes", true)), "InvalidAttributeValue");
  EXPECT_EQ(code(check("DeduplicationScope", "messageGroup", true)), "none");
  EXPECT_EQ(code(check("FifoThroughputLimit", "perMessageGroupId", true)), "InvalidAttributeValue")
      << "only with its scope";
  EXPECT_EQ(code(check_change({{"FifoThroughputLimit", "perMessageGroupId"}},
                              {{"DeduplicationScope", "messageGroup"}}, true)),
            "none");
  EXPECT_EQ(code(check_change({{"DeduplicationScope", "queue"}},
                              {{"DeduplicationScope", "messageGroup"},
                               {"FifoThroughputLimit", "perMessageGroupId"}},
                              true)),
            "InvalidAttributeValue");
}

TEST(SqsAttributes, OneKindOfEncryptionAtATime) {
  EXPECT_EQ(
      code(check_change({{"KmsMasterKeyId", "k"}, {"SqsManagedSseEnabled", "true"}}, {}, false)),
      "InvalidAttributeName");
  AttributeMap attributes;
  apply_change({{"KmsMasterKeyId", "k"}}, attributes);
  EXPECT_EQ(attributes.at("SqsManagedSseEnabled"), "false");
  apply_change({{"SqsManagedSseEnabled", "true"}}, attributes);
  EXPECT_FALSE(attributes.contains("KmsMasterKeyId"));
}

TEST(SqsAttributes, FifoNamesEndInTheirSuffix) {
  EXPECT_EQ(code(check_queue_name("a.fifo", true)), "none");
  EXPECT_EQ(code(check_queue_name(std::string(75, 'a') + ".fifo", true)), "none");
  for (const std::string& bad : {std::string("a"), std::string(".fifo"), std::string("a.b.fifo"),
                                 std::string(76, 'a') + ".fifo"}) {
    EXPECT_EQ(code(check_queue_name(bad, true)), "InvalidParameterValueException") << bad;
  }
  EXPECT_EQ(code(check_queue_name("a.fifo", false)), "InvalidParameterValueException");
}

TEST(SqsAttributes, RedrivePolicyTakesCountsAsTextAndNumber) {
  constexpr std::string_view kArn = "arn:aws:sqs:us-east-1:000000000000:dead";
  const auto policy = [&](std::string_view count) {
    return R"({"deadLetterTargetArn":")" + std::string(kArn) + R"(","maxReceiveCount":)" +
           std::string(count) + "}";
  };
  EXPECT_EQ(parse_redrive_policy(policy("3"))->max_receive_count, 3);
  EXPECT_EQ(parse_redrive_policy(policy("\"1000\""))->max_receive_count, 1000);
  EXPECT_EQ(parse_redrive_policy(policy("3"))->dead_letter_arn, kArn);
  for (const std::string& bad :
       {policy("0"), policy("1001"), policy("\"x\""), policy("1.5"), std::string("[]"),
        std::string("{}"), std::string(R"({"maxReceiveCount":1})"),
        std::string(R"({"deadLetterTargetArn":"a"})"),
        std::string(R"({"deadLetterTargetArn":"a","maxReceiveCount":1})")}) {
    const auto parsed = parse_redrive_policy(bad);
    ASSERT_FALSE(parsed.has_value()) << bad;
    EXPECT_TRUE(parsed.error().is(errors::kInvalidParameterValue));
  }
  EXPECT_TRUE(
      parse_redrive_policy(policy("1.5")).error().message.contains("maxReceiveCount: 1.5,"));
}

TEST(SqsAttributes, RedriveAllowPolicyNamesItsSources) {
  EXPECT_TRUE(parse_redrive_allow_policy(R"({"redrivePermission":"allowAll"})")->allows("a"));
  EXPECT_FALSE(parse_redrive_allow_policy(R"({"redrivePermission":"denyAll"})")->allows("a"));
  const auto some =
      parse_redrive_allow_policy(R"({"redrivePermission":"byQueue","sourceQueueArns":["a"]})");
  EXPECT_TRUE(some->allows("a"));
  EXPECT_FALSE(some->allows("b"));
  for (const std::string_view bad :
       {R"({"redrivePermission":"byQueue"})", R"({"redrivePermission":"some"})",
        R"({"redrivePermission":"denyAll","sourceQueueArns":["a"]})", "x", "{}"}) {
    EXPECT_FALSE(parse_redrive_allow_policy(bad).has_value()) << bad;
  }
}

TEST(SqsAttributes, DifferencesCountDefaultsAndReadJsonAsJson) {
  const AttributeMap has{{"Policy", R"({"a":1,"b":2})"}, {"DelaySeconds", "5"}};
  EXPECT_EQ(first_difference({{"VisibilityTimeout", "30"}}, has, false), std::nullopt);
  EXPECT_EQ(first_difference({{"Policy", R"({"b":2, "a":1})"}}, has, false), std::nullopt);
  EXPECT_EQ(first_difference({{"DelaySeconds", "0"}}, has, false), "DelaySeconds");
  EXPECT_EQ(first_difference({{"VisibilityTimeout", "31"}}, has, false), "VisibilityTimeout");
}

TEST(SqsPermissions, LabelsComeAndGoInThePolicy) {
  const std::string arn = "arn:aws:sqs:us-east-1:000000000000:q";
  const auto one = with_permission("", arn, "first", {"111111111111"}, {"SendMessage"});
  ASSERT_TRUE(one.has_value());
  EXPECT_EQ(code(check("Policy", *one)), "none");
  const auto two = with_permission(*one, arn, "second", {"222222222222"}, {"*"});
  ASSERT_TRUE(two.has_value());
  EXPECT_FALSE(with_permission(*two, arn, "first", {"111111111111"}, {"*"}).has_value());
  EXPECT_EQ(*without_permission(*two, "second"), *one);
  EXPECT_EQ(*without_permission(*one, "first"), "");
  EXPECT_FALSE(without_permission(*one, "second").has_value());
  EXPECT_FALSE(with_permission("", arn, "bad label", {"111111111111"}, {"*"}).has_value());
  EXPECT_FALSE(with_permission("", arn, "a", {"me"}, {"*"}).has_value());
  EXPECT_FALSE(with_permission("", arn, "a", {"111111111111"}, {"Delete"}).has_value());
}

TEST(SqsMessage, BodyHasOnlyAllowedCharacters) {
  for (const std::string_view good :
       {"plain", "\t\n\r", "\xc3\xbc", "\xed\x9f\xbf", "\xee\x80\x80", "\xf0\x9f\x98\x80"}) {
    EXPECT_EQ(code(check_body(good)), "none") << good;
  }
  for (const std::string_view bad :
       {std::string_view("\x01"), std::string_view("\0", 1), std::string_view("a\x0b"),
        std::string_view("\xed\xa0\x80"), std::string_view("\xef\xbf\xbe"),
        std::string_view("\xff"), std::string_view("\xc3"), std::string_view("\xc0\x80"),
        std::string_view("\xe0\x80\x80"), std::string_view("\xf4\x90\x80\x80"),
        std::string_view("\xc3(")}) {
    EXPECT_EQ(code(check_body(bad)), "InvalidMessageContents");
  }
}

TEST(SqsMessage, AttributesAreDigestedAsAwsDoes) {
  // Worked out by another implementation of "Calculating the MD5 message digest".
  EXPECT_EQ(md5_of_attributes({{"icon", {"Binary.gif", {"\0\xff", 2}}},
                               {"count", {"Number.int", "42"}},
                               {"color", {"String", "red"}}}),
            "c3ca6ea8741743ad1dd1df108f5607a2");
  const CheckedMessage message = checked(with("color", text("String", "red")));
  EXPECT_EQ(message.record.md5_of_body, "9dd4e461268c8034f5c8564e155c67a6");
  EXPECT_EQ(message.bytes, 1U + 5 + 6 + 3);
  EXPECT_TRUE(message.md5_of_system_attributes.empty());
}

TEST(SqsMessage, AttributesAreValidated) {
  EXPECT_EQ(refusal(with("a", text("Number", "-1.5e10"))), "none");
  EXPECT_EQ(refusal(with("a", text("String.custom", "x"))), "none");
  EXPECT_EQ(refusal(with("gr\xc3\xbc\xc3\x9f", text("String", "x"))), "none");
  constexpr std::string_view kRefused = "InvalidParameterValueException";
  for (const std::string name : {"", "a b", ".a", "a.", "a..b", "AWS.x", "amazon.x", "\xc2\xa7"}) {
    EXPECT_EQ(refusal(with(name, text("String", "x"))), kRefused) << name;
  }
  EXPECT_EQ(refusal(with("a", text("", "x"))), kRefused);
  EXPECT_EQ(refusal(with("a", text("Text", "x"))), kRefused);
  EXPECT_EQ(refusal(with("a", text("Stringy", "x"))), kRefused);
  EXPECT_EQ(refusal(with("a", text("String", ""))), kRefused);
  EXPECT_EQ(refusal(with("a", text("Binary", "x"))), kRefused);
  EXPECT_EQ(refusal(with("a", text("String", "\x01"))), kRefused);
  for (const std::string& number :
       std::vector<std::string>{"x", "1e", "--1", ".", "1 ", std::string(39, '1')}) {
    EXPECT_EQ(refusal(with("a", text("Number", number))), kRefused) << number;
  }
  MessageAttributeValue list = text("String", "x");
  list.string_list_values.emplace();
  EXPECT_EQ(refusal(with("a", list)), "UnsupportedOperation");
  MessageInput many{.body = "x", .attributes = std::map<std::string, MessageAttributeValue>{}};
  for (int i = 0; i < 11; ++i) {
    many.attributes->emplace("a" + std::to_string(i), text("String", "x"));
  }
  EXPECT_EQ(refusal(std::move(many)), kRefused);
}

TEST(SqsMessage, SizeCountsAttributesToo) {
  EXPECT_EQ(refusal({.body = std::string(1'048'576, 'x')}), "none");
  EXPECT_EQ(refusal({.body = std::string(1'048'577, 'x')}), "InvalidParameterValueException");
  MessageInput input = with("a", text("String", "y"));
  input.body = std::string(1'048'576 - 8, 'x');
  EXPECT_EQ(refusal(input), "none");
  input.body += "x";
  EXPECT_EQ(refusal(input), "InvalidParameterValueException");
  EXPECT_EQ(refusal({.body = ""}), "MissingRequiredParameterException");
}

TEST(SqsMessage, WhatStandardQueuesDoNotTakeIsRefused) {
  EXPECT_EQ(checked({.body = "x", .group_id = "tenant"}).record.group_id, "tenant");
  EXPECT_EQ(refusal({.body = "x", .group_id = "a b"}), "InvalidParameterValueException");
  EXPECT_EQ(refusal({.body = "x", .deduplication_id = "d"}), "InvalidParameterValueException");
  EXPECT_EQ(refusal({.body = "x", .delay_seconds = 901}), "InvalidParameterValueException");
  MessageSystemAttributeValue value;
  value.data_type = "String";
  value.string_value = "Root=1";
  EXPECT_EQ(checked({.body = "x", .system_attributes = {{{"AWSTraceHeader", value}}}})
                .record.trace_header,
            "Root=1");
  EXPECT_EQ(refusal({.body = "x", .system_attributes = {{{"SenderId", value}}}}),
            "InvalidParameterValueException");
}

TEST(SqsMessage, SelectionKnowsNamesPrefixesAndAll) {
  const auto some = Selection::parse({"SenderId"}, {"one", "foo.*"});
  ASSERT_TRUE(some.has_value());
  EXPECT_TRUE(some->system("SenderId"));
  EXPECT_FALSE(some->system("SentTimestamp"));
  EXPECT_TRUE(some->message("one"));
  EXPECT_TRUE(some->message("foo.bar"));
  EXPECT_FALSE(some->message("ones"));
  EXPECT_TRUE(Selection::parse({}, {"All"})->message("x"));
  EXPECT_TRUE(Selection::parse({}, {".*"})->message("x"));
  EXPECT_FALSE(Selection::parse({"Nonsense"}, {}).has_value());
}

TEST(SqsMessage, BatchIdsAreDistinctAndFew) {
  EXPECT_EQ(code(check_batch_ids({"a", "b-_1"}, "Entry")), "none");
  EXPECT_EQ(code(check_batch_ids({}, "Entry")), "EmptyBatchRequest");
  EXPECT_EQ(code(check_batch_ids({"a", "a"}, "Entry")), "BatchEntryIdsNotDistinct");
  EXPECT_EQ(code(check_batch_ids({"a b"}, "Entry")), "InvalidBatchEntryId");
  EXPECT_EQ(code(check_batch_ids({""}, "Entry")), "InvalidBatchEntryId");
  EXPECT_EQ(code(check_batch_ids(std::vector<std::string_view>(11, "a"), "Entry")),
            "TooManyEntriesInBatchRequest");
}

}  // namespace
}  // namespace terrarium::sqs
