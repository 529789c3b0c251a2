#include "terrarium/services/s3/lifecycle.h"

#include <algorithm>
#include <charconv>

#include "lib/base/encoding.h"
#include "terrarium/services/s3/fields.h"

namespace terrarium::s3 {
namespace {

using std::chrono::days;

enum : std::uint8_t {
  kRule = 1,
  // of a rule
  kId = 1,
  kEnabled,
  kPrefix,
  kFilter,
  kFilterPrefix,
  kFilterTag,
  kFilterLarger,
  kFilterSmaller,
  kFilterAnd,
  kDays,
  kDate,
  kExpiredMarker,
  kNoncurrentDays,
  kNewerVersions,
  kAbortDays,
};

// Written also when it is zero: a number that is not there says something else.
template <class Number>
void write(FieldWriter& writer, std::uint8_t tag, const std::optional<Number>& number) {
  if (number) writer.pair(tag, std::to_string(*number), {});
}

template <class Number>
void read(FieldReader& reader, std::optional<Number>& number) {
  const auto [text, rest] = reader.pair();
  Number value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return reader.refuse();
  number = value;
}

void write_filter(FieldWriter& writer, const LifecycleRuleFilter& filter) {
  writer.number(kFilter, 1);
  if (filter.prefix) writer.pair(kFilterPrefix, *filter.prefix, {});
  if (filter.tag) writer.pair(kFilterTag, filter.tag->key, filter.tag->value);
  write(writer, kFilterLarger, filter.object_size_greater_than);
  write(writer, kFilterSmaller, filter.object_size_less_than);
  if (!filter.and_) return;
  writer.number(kFilterAnd, 1);
  const LifecycleRuleAndOperator& both = *filter.and_;
  if (both.prefix) writer.pair(kFilterPrefix, *both.prefix, {});
  for (const Tag& tag : both.tags.value_or(std::vector<Tag>())) {
    writer.pair(kFilterTag, tag.key, tag.value);
  }
  write(writer, kFilterLarger, both.object_size_greater_than);
  write(writer, kFilterSmaller, both.object_size_less_than);
}

FieldWriter written(const LifecycleRule& rule) {
  FieldWriter writer;
  writer.text(kId, rule.id.value_or(""));
  writer.number(kEnabled, rule.status == "Enabled" ? 1 : 0);
  if (rule.prefix) writer.pair(kPrefix, *rule.prefix, {});
  if (rule.filter) write_filter(writer, *rule.filter);
  if (rule.expiration) {
    write(writer, kDays, rule.expiration->days);
    if (rule.expiration->date) {
      write(writer, kDate, std::optional(rule.expiration->date->time_since_epoch().count()));
    }
    if (rule.expiration->expired_object_delete_marker) {
      writer.pair(kExpiredMarker, *rule.expiration->expired_object_delete_marker ? "1" : "0", {});
    }
  }
  if (rule.noncurrent_version_expiration) {
    write(writer, kNoncurrentDays, rule.noncurrent_version_expiration->noncurrent_days);
    write(writer, kNewerVersions, rule.noncurrent_version_expiration->newer_noncurrent_versions);
  }
  if (rule.abort_incomplete_multipart_upload) {
    write(writer, kAbortDays, rule.abort_incomplete_multipart_upload->days_after_initiation);
  }
  return writer;
}

template <class Value>
Value& made(std::optional<Value>& optional) {
  return optional ? *optional : optional.emplace();
}

void read_filter_field(FieldReader& reader, LifecycleRuleFilter& filter) {
  const auto prefix = [&reader] { return std::string(reader.pair().first); };
  const auto tag = [&reader] {
    const auto [key, value] = reader.pair();
    return Tag{std::string(key), std::string(value)};
  };
  LifecycleRuleAndOperator* const both = filter.and_ ? &*filter.and_ : nullptr;
  switch (reader.tag()) {
    case kFilterPrefix: (both != nullptr ? both->prefix : filter.prefix) = prefix(); break;
    case kFilterTag:
      if (both != nullptr) {
        made(both->tags).push_back(tag());
      } else {
        filter.tag = tag();
      }
      break;
    case kFilterLarger:
      read(reader,
           both != nullptr ? both->object_size_greater_than : filter.object_size_greater_than);
      break;
    case kFilterSmaller:
      read(reader, both != nullptr ? both->object_size_less_than : filter.object_size_less_than);
      break;
    default: reader.refuse();
  }
}

void read_date(FieldReader& reader, LifecycleExpiration& expiration) {
  std::optional<std::int64_t> count;
  read(reader, count);
  expiration.date = base::Timestamp(base::Duration(count.value_or(0)));
}

void read_rule_field(FieldReader& reader, LifecycleRule& rule) {
  switch (reader.tag()) {
    case kId: rule.id = reader.text(); break;
    case kEnabled: rule.status = "Enabled"; break;
    case kPrefix: rule.prefix.emplace(reader.pair().first); break;
    case kFilter: rule.filter.emplace(); break;
    case kFilterAnd: made(rule.filter).and_.emplace(); break;
    case kDays: read(reader, made(rule.expiration).days); break;
    case kDate: read_date(reader, made(rule.expiration)); break;
    case kExpiredMarker:
      made(rule.expiration).expired_object_delete_marker = reader.pair().first == "1";
      break;
    case kNoncurrentDays:
      read(reader, made(rule.noncurrent_version_expiration).noncurrent_days);
      break;
    case kNewerVersions:
      read(reader, made(rule.noncurrent_version_expiration).newer_noncurrent_versions);
      break;
    case kAbortDays:
      read(reader, made(rule.abort_incomplete_multipart_upload).days_after_initiation);
      break;
    default: read_filter_field(reader, made(rule.filter));
  }
}

bool read_rule(std::string_view bytes, LifecycleRule& rule) {
  rule.status = "Disabled";
  FieldReader reader(bytes);
  while (reader.next()) read_rule_field(reader, rule);
  return reader.complete();
}

// What a rule's filter looks at.
struct Subject {
  std::string_view key;
  const ObjectRecord* object = nullptr;  // null: an upload
};

bool has_tag(const Subject& subject, const Tag& tag) {
  if (subject.object == nullptr) return false;
  const auto found = subject.object->tags.find(tag.key);
  return found != subject.object->tags.end() && found->second == tag.value;
}

bool fits_size(const Subject& subject, const std::optional<std::int64_t>& larger,
               const std::optional<std::int64_t>& smaller) {
  if (!larger && !smaller) return true;
  if (subject.object == nullptr || subject.object->delete_marker) return false;
  const auto bytes = static_cast<std::int64_t>(subject.object->bytes);
  return (!larger || bytes > *larger) && (!smaller || bytes < *smaller);
}

bool fits(const LifecycleRule& rule, const Subject& subject) {
  if (rule.status != "Enabled") return false;
  if (rule.prefix) return subject.key.starts_with(*rule.prefix);
  if (!rule.filter) return true;
  const LifecycleRuleFilter& filter = *rule.filter;
  if (filter.and_) {
    const LifecycleRuleAndOperator& both = *filter.and_;
    const std::vector<Tag> tags = both.tags.value_or(std::vector<Tag>());
    return subject.key.starts_with(both.prefix.value_or("")) &&
           std::ranges::all_of(tags, [&](const Tag& tag) { return has_tag(subject, tag); }) &&
           fits_size(subject, both.object_size_greater_than, both.object_size_less_than);
  }
  return subject.key.starts_with(filter.prefix.value_or("")) &&
         (!filter.tag || has_tag(subject, *filter.tag)) &&
         fits_size(subject, filter.object_size_greater_than, filter.object_size_less_than);
}

base::Timestamp midnight_after(base::Timestamp from, std::int32_t count) {
  return std::chrono::floor<days>(from + days(count)) + days(1);
}

// The earliest of what the rules that fit say.
template <class When>
std::optional<Due> earliest(const BucketLifecycleConfiguration& configuration,
                            const Subject& subject, When when) {
  std::optional<Due> first;
  for (const LifecycleRule& rule : configuration.rules) {
    if (!fits(rule, subject)) continue;
    const std::optional<base::Timestamp> at = when(rule);
    if (at && (!first || *at < first->at)) first = Due{*at, rule.id.value_or("")};
  }
  return first;
}

std::optional<base::Timestamp> expiration_time(const LifecycleRule& rule, base::Timestamp from) {
  if (!rule.expiration) return std::nullopt;
  if (rule.expiration->days) return midnight_after(from, *rule.expiration->days);
  return rule.expiration->date;
}

}  // namespace

std::string encode(const BucketLifecycleConfiguration& configuration) {
  FieldWriter writer;
  for (const LifecycleRule& rule : configuration.rules) writer.record(kRule, written(rule));
  return writer.take();
}

base::Result<BucketLifecycleConfiguration> decode_lifecycle(std::string_view bytes) {
  BucketLifecycleConfiguration configuration;
  FieldReader reader(bytes);
  while (reader.next()) {
    if (reader.tag() != kRule || !read_rule(reader.text(), configuration.rules.emplace_back())) {
      reader.refuse();
    }
  }
  if (!reader.complete()) {
    return base::fail(base::ErrorKind::Internal, "The lifecycle rules of a bucket are unreadable.");
  }
  return configuration;
}

std::optional<Due> object_due(const BucketLifecycleConfiguration& configuration,
                              std::string_view key, const ObjectRecord& object) {
  return earliest(configuration, {key, &object}, [&object](const LifecycleRule& rule) {
    return expiration_time(rule, object.last_modified);
  });
}

std::optional<Due> version_due(const BucketLifecycleConfiguration& configuration,
                               std::string_view key, const ObjectRecord& version,
                               const Noncurrent& noncurrent) {
  const auto when = [&noncurrent](const LifecycleRule& rule) -> std::optional<base::Timestamp> {
    if (!rule.noncurrent_version_expiration) return std::nullopt;
    const NoncurrentVersionExpiration& expiration = *rule.noncurrent_version_expiration;
    if (noncurrent.newer < expiration.newer_noncurrent_versions.value_or(0)) return std::nullopt;
    return midnight_after(noncurrent.since, expiration.noncurrent_days.value_or(1));
  };
  return earliest(configuration, {key, &version}, when);
}

std::optional<Due> marker_due(const BucketLifecycleConfiguration& configuration,
                              std::string_view key, const ObjectRecord& marker) {
  return earliest(configuration, {key, &marker}, [&marker](const LifecycleRule& rule) {
    const bool at_once =
        rule.expiration && rule.expiration->expired_object_delete_marker.value_or(false);
    // Rules that count days clear such markers away too, once they are old enough.
    return at_once ? std::optional(marker.last_modified)
                   : expiration_time(rule, marker.last_modified);
  });
}

std::optional<Due> upload_due(const BucketLifecycleConfiguration& configuration,
                              std::string_view key, base::Timestamp initiated) {
  const auto when = [initiated](const LifecycleRule& rule) -> std::optional<base::Timestamp> {
    if (!rule.abort_incomplete_multipart_upload) return std::nullopt;
    return midnight_after(
        initiated, rule.abort_incomplete_multipart_upload->days_after_initiation.value_or(1));
  };
  return earliest(configuration, {key, nullptr}, when);
}

std::string expiration_header(const Due& due) {
  return "expiry-date=\"" + base::http_date(due.at) + "\", rule-id=\"" +
         base::percent_encode(due.rule_id) + "\"";
}

}  // namespace terrarium::s3
