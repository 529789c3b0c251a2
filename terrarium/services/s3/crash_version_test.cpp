// Every effect on the store fails once while versions come and go: whatever was acknowledged must
// be there with its bytes, and the rows of a key must agree on which version is the current one.
#include <map>
#include <set>

#include "lib/base/encoding.h"
#include "terrarium/services/s3/keys.h"
#include "terrarium/services/s3/testing_region.h"
#include "terrarium/services/s3/versions.h"
#include "terrarium/store/faulty.h"

namespace terrarium::s3 {
namespace {

constexpr std::size_t kBig = kInlineBytesMax + 1;

// What clients were told of the versions of one key.
struct Known {
  std::map<std::string, std::string> bodies;  // by version id
  std::set<std::string> markers;
  bool unsure = false;  // something got no answer: there may be more or fewer null versions
};

class Scenario {
 public:
  explicit Scenario(S3Region& region) : region_(region) {}

  void run() {
    if (!region_.create_bucket("box").has_value()) return;
    put("null 0");
    if (!set("Enabled")) return;
    put("one");
    put(std::string(kBig, '2'));
    const std::string marker = remove({});
    put(std::string(kBig, '3'));
    remove(last_);
    remove(marker);
    multipart();
    if (!set("Suspended")) return;
    put(std::string(kBig, 'n'));
    put("null 2");
    remove({});
    remove("null");
    expire();
  }

  Known known;

 private:
  bool set(const std::string& status) {
    PutBucketVersioningRequest request;
    request.bucket = "box";
    request.versioning_configuration.status = status;
    return region_.wait(region_.s3().put_bucket_versioning(region_.root(), request)).has_value();
  }

  void put(const std::string& body) {
    const auto output = region_.put("box", "k", body);
    if (!output.has_value()) {
      lose_null();
      return;
    }
    last_ = output->version_id.value_or("null");
    known.markers.erase(last_);
    known.bodies[last_] = body;
  }

  // The id of the marker that it made, when it made one.
  std::string remove(std::optional<std::string> version_id) {
    DeleteObjectRequest request{.bucket = "box", .key = "k"};
    request.version_id = version_id;
    const auto output = region_.wait(region_.s3().delete_object(region_.root(), request));
    if (!output.has_value()) lose_null();
    if (version_id) {
      known.bodies.erase(*version_id);
      known.markers.erase(*version_id);
    } else if (output.has_value()) {
      known.bodies.erase(*output->version_id);
      known.markers.insert(*output->version_id);
      return *output->version_id;
    }
    return "null";
  }

  void multipart() {
    CreateMultipartUploadRequest begin;
    begin.bucket = "box";
    begin.key = "k";
    const auto upload = region_.wait(region_.s3().create_multipart_upload(region_.root(), begin));
    if (!upload.has_value()) return;
    const std::string body(kBig, 'p');
    const auto stream = http::body_of(body);
    wire::Context context = region_.root();
    context.body = stream.get();
    UploadPartRequest part;
    part.bucket = "box";
    part.key = "k";
    part.upload_id = *upload->upload_id;
    part.part_number = 1;
    const auto sent = region_.wait(region_.s3().upload_part(context, std::move(part)));
    if (!sent.has_value()) return;
    CompleteMultipartUploadRequest end;
    end.bucket = "box";
    end.key = "k";
    end.upload_id = *upload->upload_id;
    CompletedPart& completed = end.multipart_upload.emplace().parts.emplace().emplace_back();
    completed.part_number = 1;
    completed.etag = sent->etag;
    const auto done = region_.wait(region_.s3().complete_multipart_upload(region_.root(), end));
    if (done.has_value()) known.bodies[*done->version_id] = body;
  }

  // Old versions go for good, in the background: nobody is told of any of them.
  void expire() {
    PutBucketLifecycleConfigurationRequest request;
    request.bucket = "box";
    LifecycleRule& rule = request.lifecycle_configuration.emplace().rules.emplace_back();
    rule.status = "Enabled";
    rule.filter.emplace();
    rule.noncurrent_version_expiration.emplace().noncurrent_days = 1;
    const auto put =
        region_.wait(region_.s3().put_bucket_lifecycle_configuration(region_.root(), request));
    static_cast<void>(put);
    known.bodies.clear();
    known.markers.clear();
    region_.advance(std::chrono::hours(49));
  }

  // A change of which nobody knows whether it happened may have replaced the null version.
  void lose_null() {
    known.unsure = true;
    known.bodies.erase("null");
    known.markers.erase("null");
  }

  S3Region& region_;
  std::string last_ = "null";
};

struct Rows {
  std::vector<ObjectRecord> current;
  std::vector<ObjectRecord> kept;  // newest first
  std::vector<std::uint64_t> null_places;
};

template <class Take>
void for_each_row(const store::Store& store, std::string_view prefix, Take take) {
  for (auto at = store.scan(store::Table::S3, prefix, store::prefix_end(prefix)); at->valid();
       at->next()) {
    take(at->value());
  }
}

Rows rows_of(const store::Store& store) {
  Rows rows;
  for_each_row(store, "o", [&rows](std::string_view value) {
    rows.current.push_back(decode_object(value).value());
  });
  for_each_row(store, "v", [&rows](std::string_view value) {
    rows.kept.push_back(decode_object(value).value());
  });
  for_each_row(store, "w", [&rows](std::string_view value) {
    rows.null_places.push_back(decode_sequence(value));
  });
  return rows;
}

void check_rows(const store::Store& store) {
  const Rows rows = rows_of(store);
  ASSERT_LE(rows.current.size(), 1U);
  std::vector<std::uint64_t> null_kept;
  for (const ObjectRecord& kept : rows.kept) {
    if (kept.version_nonce.empty()) null_kept.push_back(kept.sequence);
  }
  EXPECT_EQ(null_kept, rows.null_places);
  EXPECT_LE(null_kept.size(), 1U);
  if (rows.current.empty()) {
    if (!rows.kept.empty()) EXPECT_TRUE(rows.kept.front().delete_marker);
    return;
  }
  EXPECT_FALSE(rows.current.front().delete_marker);
  if (rows.current.front().version_nonce.empty()) EXPECT_TRUE(null_kept.empty());
  if (!rows.kept.empty()) EXPECT_GT(rows.current.front().sequence, rows.kept.front().sequence);
}

std::size_t count_rows(const store::Store& store, std::string_view prefix) {
  std::size_t count = 0;
  for_each_row(store, prefix, [&count](std::string_view) { ++count; });
  return count;
}

void check_after_crash(S3Region& region, const store::Store& store, const Known& known) {
  check_rows(store);
  for (const auto& [id, body] : known.bodies) {
    GetObjectRequest request = S3Region::get_request("box", "k");
    request.version_id = id;
    auto output = region.get(std::move(request));
    ASSERT_TRUE(output.has_value()) << id << ": " << S3Region::code_of(output);
    EXPECT_EQ(region.read(*output), body) << id;
  }
  for (const std::string& id : known.markers) {
    GetObjectRequest request = S3Region::get_request("box", "k");
    request.version_id = id;
    EXPECT_EQ(S3Region::code_of(region.get(std::move(request))), "MethodNotAllowed") << id;
  }
  for (const ObjectRecord& record : rows_of(store).kept) {
    if (record.delete_marker) continue;
    GetObjectRequest request = S3Region::get_request("box", "k");
    request.version_id = version_id_of(record);
    auto output = region.get(std::move(request));
    ASSERT_TRUE(output.has_value());
    EXPECT_EQ(region.read(*output).size(), record.bytes);
  }
  EXPECT_EQ(count_rows(store, "f"), region.files()) << "files and the store disagree";
}

TEST(S3CrashVersions, RowsAgreeWhicheverEffectFails) {
  for (const store::FaultPoint point : {store::FaultPoint::Before, store::FaultPoint::After}) {
    bool fired = true;
    for (std::uint64_t effect = 0; fired; ++effect) {
      SCOPED_TRACE("effect " + std::to_string(effect) + " point " +
                   std::to_string(static_cast<int>(point)));
      store::FaultyStore store;
      S3Region region(&store);
      Scenario scenario(region);
      store.fail_effect(effect, point);
      scenario.run();
      fired = store.fired();
      region.stop();
      store.crash();
      region.start();
      region.settle();
      check_after_crash(region, store, scenario.known);
      ASSERT_LT(effect, 500U);
      if (testing::Test::HasFailure()) return;
    }
  }
}

}  // namespace
}  // namespace terrarium::s3
