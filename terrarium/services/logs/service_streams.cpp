// Log streams.
#include "generated/logs/errors.h"
#include "terrarium/services/logs/service.h"

namespace terrarium::logs {
namespace {

constexpr auto kTable = store::Table::Logs;
constexpr std::string_view kByLastEvent = "LastEventTime";
constexpr std::string_view kByName = "LogStreamName";

std::unexpected<base::Error> invalid(std::string message) {
  return base::fail(errors::kInvalidParameterException, std::move(message));
}

LogStream describe(std::string_view group_arn, std::string name, const StreamRecord& record) {
  LogStream stream;
  stream.arn = std::string(group_arn) + ":log-stream:" + name;
  stream.log_stream_name = std::move(name);
  stream.creation_time = record.creation_ms;
  stream.last_ingestion_time = record.last_ingestion_ms;
  if (record.last_ingestion_ms) stream.upload_sequence_token = sequence_token(record);
  // Since 2019 AWS answers 0 here and counts groups only.
  stream.stored_bytes = 0;
  return stream;
}

// Nothing when retention has taken the last one.
std::optional<Millis> first_event(const store::Store& store, std::uint64_t group_id,
                                  std::uint64_t stream_id) {
  const std::string prefix = keys::index(group_id, stream_id);
  const auto cursor = store.scan(kTable, prefix, store::prefix_end(prefix));
  if (!cursor->valid()) return std::nullopt;
  return keys::position_of(cursor->key()).time_ms;
}

Result<void> check(const DescribeLogStreamsRequest& request) {
  const std::string order = request.order_by.value_or(std::string(kByName));
  if (order != kByName && order != kByLastEvent) {
    return invalid("1 validation error detected: Value '" + order +
                   "' at 'orderBy' failed to satisfy constraint: Member must satisfy enum value "
                   "set: [LogStreamName, LastEventTime]");
  }
  if (order == kByLastEvent && request.log_stream_name_prefix) {
    return invalid("Cannot order by LastEventTime with a logStreamNamePrefix.");
  }
  return {};
}

// One page of a prefix, either way; `last` is the key (after the prefix) given out before.
class Page {
 public:
  Page(const store::Store& store, const std::string& prefix, bool descending,
       const std::optional<std::string>& last)
      : cursor_(store.scan(kTable, prefix, store::prefix_end(prefix))), descending_(descending) {
    if (descending) {
      cursor_->seek_for_previous(last ? prefix + *last : store::prefix_end(prefix));
      if (last && cursor_->valid() && cursor_->key() == prefix + *last) cursor_->previous();
    } else if (last) {
      cursor_->seek(prefix + *last + '\0');
    }
  }
  bool valid() const { return cursor_->valid(); }
  std::string_view key() const { return cursor_->key(); }
  void next() { descending_ ? cursor_->previous() : cursor_->next(); }
  Result<void> status() const { return cursor_->status(); }

 private:
  std::unique_ptr<store::Cursor> cursor_;
  bool descending_;
};

}  // namespace

Task<Result<wire::Empty>> Service::create_log_stream(const wire::Context& context,
                                                     CreateLogStreamRequest request) {
  CO_TRY_VOID(check_group_name(request.log_group_name));
  CO_TRY_VOID(check_stream_name(request.log_stream_name));
  CO_TRY(const GroupRecord record, group(context.region, request.log_group_name));
  const std::string key =
      keys::stream(context.region, request.log_group_name, request.log_stream_name);
  CO_TRY(const auto there, store_.get(kTable, key));
  if (there) {
    co_return base::fail(errors::kResourceAlreadyExistsException,
                         "The specified log stream already exists");
  }
  store::Batch batch;
  CO_TRY_VOID(put_new_stream(batch, context.region, request.log_group_name, record,
                             request.log_stream_name));
  CO_TRY_VOID(co_await store_.commit(std::move(batch)));
  co_return wire::Empty{};
}

Task<Result<wire::Empty>> Service::delete_log_stream(const wire::Context& context,
                                                     DeleteLogStreamRequest request) {
  CO_TRY(const Stream found,
         stream(context.region, request.log_group_name, request.log_stream_name));
  store::Batch batch;
  batch.erase(kTable, keys::stream(context.region, found.group_name, found.name));
  batch.erase(kTable, keys::by_last_event(found.group.id, found.stream.last_event_ms.value_or(0),
                                          found.name));
  // Without its name nothing of it is seen; its events go little by little.
  batch.erase(kTable, keys::stream_name(found.group.id, found.stream.id));
  batch.put(kTable, keys::purge(found.group.id, found.stream.id),
            keys::group(context.region, found.group_name));
  CO_TRY_VOID(co_await store_.commit(std::move(batch)));
  wake_sweep_.notify_all();
  co_return wire::Empty{};
}

Task<Result<DescribeLogStreamsResponse>> Service::describe_log_streams(
    const wire::Context& context, DescribeLogStreamsRequest request) {
  CO_TRY_VOID(check(request));
  CO_TRY(const std::size_t limit, check_limit(request.limit, kListMax));
  CO_TRY(const std::string name,
         resolve(context, request.log_group_name, request.log_group_identifier));
  CO_TRY(const GroupRecord record, group(context.region, name));
  const bool by_time = request.order_by == kByLastEvent;
  const std::string streams = keys::streams(context.region, name);
  const std::string prefix = by_time ? keys::by_last_event(record.id)
                                     : streams + request.log_stream_name_prefix.value_or("");
  // What a key has before the stream's name.
  const std::size_t before_name = by_time ? prefix.size() + sizeof(Millis) : streams.size();
  std::optional<std::string> last;
  if (request.next_token) {
    CO_TRY(last, parse_list_token(*request.next_token));
  }
  DescribeLogStreamsResponse response;
  auto& page = response.log_streams.emplace();
  std::string given;
  const std::string arn = group_arn(context.region, context.account, name);
  Page keys_of_page(store_, prefix, request.descending.value_or(false), last);
  for (; keys_of_page.valid(); keys_of_page.next()) {
    if (page.size() == limit) {
      response.next_token = list_token(given);
      break;
    }
    std::string stream_name(keys::name_of(keys_of_page.key(), before_name));
    CO_TRY(const Stream found, stream(context.region, name, stream_name));
    given = keys_of_page.key().substr(prefix.size());
    page.push_back(describe(arn, std::move(stream_name), found.stream));
    if (const auto first = first_event(store_, record.id, found.stream.id)) {
      page.back().first_event_timestamp = *first;
      page.back().last_event_timestamp = found.stream.last_event_ms;
    }
  }
  CO_TRY_VOID(keys_of_page.status());
  co_return response;
}

}  // namespace terrarium::logs
