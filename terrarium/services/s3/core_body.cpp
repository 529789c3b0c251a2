// Bodies of objects: where their bytes are found, put and given up.
#include <algorithm>

#include "terrarium/services/s3/core.h"
#include "terrarium/services/s3/keys.h"

namespace terrarium::s3 {
namespace {

using runtime::Task;

// A body that is replaced again and again while it is read: then the reader gives up.
constexpr int kReadAttemptsMax = 8;

std::unexpected<base::Error> replaced() {
  return base::fail(base::ErrorKind::NotFound, "The body was replaced.");
}

std::uint64_t bytes_of(const std::vector<Segment>& segments) {
  std::uint64_t bytes = 0;
  for (const Segment& segment : segments) bytes += segment.bytes;
  return bytes;
}

}  // namespace

bool Core::is_replaced(const base::Error& error, int attempt) {
  return error.kind == base::ErrorKind::NotFound && error.row == nullptr &&
         attempt < kReadAttemptsMax;
}

base::Result<Core::FoundParts> Core::find_segments(const ObjectRecord& record,
                                                   ByteRange range) const {
  FoundParts found;
  if (record.place == BodyPlace::File) found.segments.push_back({record.body, record.bytes, {}});
  if (record.place != BodyPlace::Parts) return found;
  const std::string prefix = parts_prefix(record.body);
  const auto at = store_.scan(store::Table::S3, prefix, store::prefix_end(prefix));
  at->seek_for_previous(parts_key(record.body, range.first));
  if (!at->valid()) return replaced();
  found.first_byte = parts_first_byte(at->key());
  std::uint64_t end = found.first_byte;
  for (; at->valid() && (found.segments.empty() || end < range.first + range.bytes); at->next()) {
    TRY(PartsRecord row, decode_parts(at->value()));
    if (found.segments.empty()) found.parts_before = row.parts_before;
    end += bytes_of(row.segments);
    std::ranges::move(row.segments, std::back_inserter(found.segments));
  }
  if (end < range.first + range.bytes) return replaced();
  return found;
}

base::Result<Core::FoundPart> Core::find_part(const ObjectRecord& record,
                                              std::uint32_t number) const {
  const std::string prefix = parts_prefix(record.body);
  const auto at = store_.scan(store::Table::S3, prefix, store::prefix_end(prefix));
  for (; at->valid(); at->next()) {
    TRY(const PartsRecord row, decode_parts(at->value()));
    if (row.parts_before + row.segments.size() < number) continue;
    FoundPart part{{}, {parts_first_byte(at->key()), 0}};
    for (std::uint32_t i = 0; row.parts_before + i < number; ++i) {
      part.segment = row.segments[i];
      part.range.first += part.range.bytes;
      part.range.bytes = part.segment.bytes;
    }
    return part;
  }
  return replaced();
}

Task<base::Result<std::unique_ptr<http::BodyReader>>> Core::open_body(ObjectRecord record,
                                                                      ByteRange range) {
  if (record.bytes == 0 || range.bytes == 0) co_return http::body_of({});
  if (record.place == BodyPlace::Store) {
    CO_TRY(std::optional<std::string> bytes,
           store_.get(store::Table::S3, inline_body_key(record.body)));
    if (!bytes) co_return replaced();
    if (range.bytes == bytes->size()) co_return http::body_of(*std::move(bytes));
    co_return http::body_of(bytes->substr(range.first, range.bytes));
  }
  // Held before its files are looked up: what is found then stays.
  Bodies::Pin pin = bodies_->pin(record.body);
  if (!pin) co_return replaced();
  CO_TRY(FoundParts found, find_segments(record, range));
  co_return co_await bodies_->read(std::move(found.segments), std::move(pin),
                                   range.first - found.first_byte, range.bytes);
}

void Core::put_body(store::Batch& batch, ObjectRecord& record, const NewBody& body) {
  record.bytes = body.bytes();
  record.place = body.place();
  if (record.place == BodyPlace::Nowhere) return;
  record.body = body.generation();
  if (record.place == BodyPlace::Store) {
    batch.put(store::Table::S3, inline_body_key(record.body), body.inline_bytes());
  } else {
    batch.put(store::Table::S3, file_key(record.body), {});
  }
}

void Core::put_parts(store::Batch& batch, ObjectRecord& record, const std::vector<Segment>& parts) {
  record.place = BodyPlace::Parts;
  record.body = bodies_->next_generation();
  record.parts = static_cast<std::uint32_t>(parts.size());
  std::uint64_t first_byte = 0;
  for (std::size_t at = 0; at < parts.size(); at += kPartsPerRow) {
    const std::size_t end = std::min(at + kPartsPerRow, parts.size());
    PartsRecord row;
    row.parts_before = static_cast<std::uint32_t>(at);
    row.segments.assign(parts.begin() + static_cast<std::ptrdiff_t>(at),
                        parts.begin() + static_cast<std::ptrdiff_t>(end));
    batch.put(store::Table::S3, parts_key(record.body, first_byte), encode(row));
    first_byte += bytes_of(row.segments);
  }
}

base::Result<void> Core::erase_body(Change& change, const ObjectRecord& record) {
  if (!record.delete_marker) {
    change.removed.objects += 1;
    change.removed.bytes += record.bytes;
  }
  if (record.place == BodyPlace::Nowhere) return {};
  if (record.place == BodyPlace::Store) {
    change.batch.erase(store::Table::S3, inline_body_key(record.body));
    return {};
  }
  BodyFiles released{record.body, {}};
  const auto erase_file = [&](const Generation& file) {
    change.batch.erase(store::Table::S3, file_key(file));
    released.files.push_back(file);
  };
  if (record.place == BodyPlace::File) erase_file(record.body);
  const std::string prefix = parts_prefix(record.body);
  if (record.place == BodyPlace::Parts) {
    const auto at = store_.scan(store::Table::S3, prefix, store::prefix_end(prefix));
    for (; at->valid(); at->next()) {
      TRY(const PartsRecord row, decode_parts(at->value()));
      for (const Segment& segment : row.segments) erase_file(segment.generation);
      change.batch.erase(store::Table::S3, std::string(at->key()));
    }
    TRY_VOID(at->status());
  }
  change.aftermath.released.push_back(std::move(released));
  return {};
}

}  // namespace terrarium::s3
