#include "terrarium/services/s3/listing.h"

#include "terrarium/services/s3/keys.h"

namespace terrarium::s3 {

std::optional<std::string_view> common_prefix(std::string_view key, std::string_view prefix,
                                              std::string_view delimiter) {
  if (delimiter.empty()) return std::nullopt;
  const std::size_t at = key.find(delimiter, prefix.size());
  if (at == std::string_view::npos) return std::nullopt;
  return key.substr(0, at + delimiter.size());
}

base::Result<ListPage> list_objects(const store::Store& store, BucketNumber bucket,
                                    const ListQuery& query) {
  ListPage page;
  if (query.entries_max == 0) return page;
  const std::string before_keys = object_prefix(bucket);
  const std::string first = before_keys + query.prefix;
  const auto cursor = store.scan(store::Table::S3, first, store::prefix_end(first));
  if (query.after > query.prefix) cursor->seek(before_keys + query.after);
  while (cursor->valid()) {
    const std::string_view key = cursor->key().substr(before_keys.size());
    if (!query.after.empty() && key <= query.after) {
      cursor->next();
      continue;
    }
    const auto rolled = common_prefix(key, query.prefix, query.delimiter);
    // A marker inside a common prefix says that the prefix was on an earlier page.
    const bool seen = rolled && *rolled <= query.after;
    if (!seen && page.objects.size() + page.common_prefixes.size() == query.entries_max) {
      page.truncated = true;
      return page;
    }
    if (rolled) {
      const std::string skipped(*rolled);
      if (!seen) {
        page.common_prefixes.push_back(skipped);
        page.last = skipped;
      }
      const std::string beyond = store::prefix_end(before_keys + skipped);
      cursor->seek(beyond);
      continue;
    }
    TRY(ObjectRecord record, decode_object(cursor->value()));
    page.last = key;
    page.objects.push_back({page.last, std::move(record)});
    cursor->next();
  }
  // A page cut short by a failing disk must not pass for the end of the bucket.
  TRY_VOID(cursor->status());
  return page;
}

base::Result<UploadPage> list_uploads(const store::Store& store, BucketNumber bucket,
                                      const UploadQuery& query) {
  UploadPage page;
  if (query.entries_max == 0) return page;
  const std::string first = upload_scan_prefix(bucket, query.prefix);
  const auto cursor = store.scan(store::Table::S3, first, store::prefix_end(first));
  std::string passed;
  if (!query.after_key.empty() && query.after_key >= query.prefix) {
    passed = upload_key(bucket, query.after_key, query.after_upload_id);
    // No id: past every upload of that key.
    if (query.after_upload_id.empty()) passed = store::prefix_end(passed);
    cursor->seek(passed);
  }
  while (cursor->valid()) {
    auto name = parse_upload_key(cursor->key());
    if (!name) return base::fail(base::ErrorKind::Internal, "A stored upload has no key.");
    const auto rolled = common_prefix(name->key, query.prefix, query.delimiter);
    const bool seen = (rolled && *rolled <= query.after_key) || cursor->key() == passed;
    if (!seen && page.uploads.size() + page.common_prefixes.size() == query.entries_max) {
      page.truncated = true;
      return page;
    }
    if (rolled) {
      page.last_key = *rolled;
      page.last_upload_id.clear();
      if (!seen) page.common_prefixes.push_back(page.last_key);
      cursor->seek(store::prefix_end(upload_scan_prefix(bucket, page.last_key)));
      continue;
    }
    if (!seen) {
      TRY(UploadRecord record, decode_upload(cursor->value()));
      page.last_key = name->key;
      page.last_upload_id = name->upload_id;
      page.uploads.push_back({std::move(name->key), std::move(name->upload_id), std::move(record)});
    }
    cursor->next();
  }
  TRY_VOID(cursor->status());
  return page;
}

}  // namespace terrarium::s3
