#include "terrarium/services/sqs/records.h"

#include <gtest/gtest.h>

#include "generated/sqs/errors.h"
#include "terrarium/services/sqs/keys.h"
#include "terrarium/services/sqs/receipt.h"

namespace terrarium::sqs {
namespace {

constexpr std::string_view kId = "0aa1bb2c-3d4e-4f60-8123-456789abcdef";

TEST(SqsRecords, MessageReadsBackAsWritten) {
  MessageRecord record{.id = std::string(kId),
                       .md5_of_body = "5d41402abc4b2a76b9719d911017c592",
                       .sent = base::Timestamp(std::chrono::seconds(1'700'000'000)),
                       .delayed = true,
                       .sender_id = "AIDAX",
                       .trace_header = "Root=1",
                       .source_arn = "arn:aws:sqs:us-east-1:000000000000:q",
                       .group_id = "group",
                       .deduplication_id = "once",
                       .carried_receives = 7,
                       .attributes = {{"a", {"String", "x"}}, {"b", {"Binary.gif", {"\0\xff", 2}}}},
                       .body = "hello"};
  const auto read = decode_message(encode(record));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->id, record.id);
  EXPECT_EQ(read->md5_of_body, record.md5_of_body);
  EXPECT_EQ(read->sender_id, record.sender_id);
  EXPECT_EQ(read->trace_header, record.trace_header);
  EXPECT_EQ(read->source_arn, record.source_arn);
  EXPECT_EQ(read->sent, record.sent);
  EXPECT_TRUE(read->delayed);
  EXPECT_EQ(read->group_id, "group");
  EXPECT_EQ(read->deduplication_id, "once");
  const auto head = decode_head(encode(record));
  ASSERT_TRUE(head.has_value());
  EXPECT_EQ(head->record.tag, tag_of(kId));
  EXPECT_EQ(head->record.sent, record.sent);
  EXPECT_TRUE(head->record.moved);
  EXPECT_TRUE(head->delayed);
  EXPECT_EQ(read->carried_receives, 7U);
  EXPECT_EQ(read->attributes.at("b").value, std::string("\0\xff", 2));
  EXPECT_TRUE(read->attributes.at("b").binary());
  EXPECT_EQ(read->body, "hello");
}

TEST(SqsRecords, DamagedValuesAreErrorsNotMessages) {
  const std::string whole =
      encode(MessageRecord{.id = std::string(kId), .attributes = {{"a", {"String", "x"}}}});
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_FALSE(decode_message(whole.substr(0, length)).has_value()) << length;
  }
  EXPECT_FALSE(decode_message("\x01" + whole.substr(1)).has_value());
  EXPECT_FALSE(decode_index("short").has_value());
  EXPECT_FALSE(decode_queue("{}").has_value());
  EXPECT_FALSE(decode_queue("nonsense").has_value());
  EXPECT_FALSE(sequence_of("i").has_value());
}

TEST(SqsRecords, IndexAndQueueReadBackAsWritten) {
  const base::Timestamp time(base::Duration(1'700'000'000'123'456));
  const IndexRecord index{.sent = time,
                          .visible_at = time + std::chrono::seconds(1),
                          .first_received = {},
                          .last_received = time,
                          .receives = 3,
                          .tag = tag_of(kId),
                          .moved = true};
  EXPECT_EQ(decode_index(encode(index, "group"))->record, index);
  EXPECT_EQ(decode_index(encode(index, "group"))->group, "group");
  const Tally tally{.messages = 5, .last_sequence = 77, .waiting_from = 70};
  EXPECT_EQ(*decode_tally(encode(tally)), tally);
  EXPECT_FALSE(decode_tally("short").has_value());
  EXPECT_EQ(index.tag, 0x0aa1bb2cU);
  const QueueRecord queue{.number = 9,
                          .region = "us-east-1",
                          .name = "q",
                          .created = time,
                          .modified = time,
                          .purged = time,
                          .attributes = {{"DelaySeconds", "5"}},
                          .tags = {{"k", "v"}}};
  const auto read = decode_queue(encode(queue));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->number, 9U);
  EXPECT_EQ(read->name, "q");
  EXPECT_EQ(read->created, time);
  EXPECT_EQ(read->purged, time);
  EXPECT_EQ(read->attributes, queue.attributes);
  EXPECT_EQ(read->tags, queue.tags);
}

TEST(SqsRecords, DuplicateNamesItsMessage) {
  const DeduplicationRecord record{base::Timestamp(base::Duration(5)), 9, std::string(kId)};
  const auto read = decode_deduplication(encode(record));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->sent, record.sent);
  EXPECT_EQ(read->sequence, 9U);
  EXPECT_EQ(read->message_id, kId);
}

TEST(SqsRecords, KeysOrderMessagesBySequence) {
  EXPECT_LT(index_key(1, 255), index_key(1, 256));
  EXPECT_LT(index_key(1, ~0ULL), index_key(2, 0));
  EXPECT_EQ(*sequence_of(index_key(1, 77)), 77U);
  EXPECT_EQ(index_key(0x0102030405060708, 9),
            std::string("i\x01\x02\x03\x04\x05\x06\x07\x08\0\0\0\0\0\0\0\x09", 17));
}

TEST(SqsReceipt, HandleNamesItsReceiveAndForgeriesAreRefused) {
  const Receipt receipt{.queue = 3, .sequence = 1'700'000'000'000'000, .tag = 5, .receives = 2};
  const std::string handle = encode(receipt);
  EXPECT_EQ(*decode_receipt(handle), receipt);
  std::string changed = handle;
  changed[10] = changed[10] == 'A' ? 'B' : 'A';
  for (const std::string& wrong : {changed, std::string(), std::string("x"), handle + handle}) {
    const auto read = decode_receipt(wrong);
    ASSERT_FALSE(read.has_value()) << wrong;
    EXPECT_TRUE(read.error().is(errors::kReceiptHandleIsInvalid));
  }
}

}  // namespace
}  // namespace terrarium::sqs
