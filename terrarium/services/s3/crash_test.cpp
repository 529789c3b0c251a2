// Every effect on the store fails once, before it happens or after, and what was not synced is
// lost: what was acknowledged must still be there, and nothing else may be in the way.
#include <boost/json.hpp>

#include <algorithm>
#include <set>

#include "lib/base/encoding.h"
#include "terrarium/services/s3/testing_region.h"
#include "terrarium/store/faulty.h"

namespace terrarium::s3 {
namespace {

constexpr std::size_t kBig = kInlineBytesMax + 1;

// What clients were told, and what they must therefore find.
struct Known {
  std::map<std::string, std::string> objects;  // acknowledged, and not touched since
  std::set<std::string> unsure;                // the last change of it got no answer
  std::set<std::string> events;                // keys whose creation was acknowledged
  bool bucket = false;
  bool rules = false;  // of CORS: two rows in one change
};

class Scenario {
 public:
  explicit Scenario(S3Region& region) : region_(region) {}

  void run() {
    if (!region_.create_bucket("pictures").has_value()) return;
    known.bucket = true;
    if (!region_.notify("pictures", {S3Region::rule("s3:ObjectCreated:*")}).has_value()) return;
    known.rules = put_rules();
    put("small", "v1");
    put("big", std::string(kBig, '1'));
    put("small", std::string(kBig, '2'));
    put("big", "v2");
    put("gone", std::string(kBig, '3'));
    remove("gone");
    copy("big", "copied");
    multipart("parts");
    multipart("small");
  }

  Known known;

 private:
  void note(const std::string& key, bool acknowledged, std::optional<std::string> body) {
    known.objects.erase(key);
    known.unsure.erase(key);
    if (!acknowledged) {
      known.unsure.insert(key);
    } else if (body) {
      known.objects[key] = *std::move(body);
      known.events.insert(key);
    }
  }

  bool put_rules() {
    PutBucketCorsRequest request{.bucket = "pictures"};
    request.cors_configuration.cors_rules = {
        {.allowed_methods = {"GET"}, .allowed_origins = {"*"}}};
    return region_.wait(region_.s3().put_bucket_cors(region_.root(), request)).has_value();
  }

  void put(const std::string& key, const std::string& body) {
    note(key, region_.put("pictures", key, body).has_value(), body);
  }

  void remove(const std::string& key) {
    const DeleteObjectRequest request{.bucket = "pictures", .key = key};
    note(key, region_.wait(region_.s3().delete_object(region_.root(), request)).has_value(), {});
  }

  void copy(const std::string& from, const std::string& to) {
    const auto source = known.objects.find(from);
    CopyObjectRequest request;
    request.bucket = "pictures";
    request.key = to;
    request.copy_source = "pictures/" + from;
    const bool done = region_.wait(region_.s3().copy_object(region_.root(), request)).has_value();
    // Of a source that nobody is sure of, the copy is nothing to be sure of either.
    const bool sure = source != known.objects.end();
    note(to, done && sure, sure ? std::optional(source->second) : std::nullopt);
  }

  void multipart(const std::string& key) {
    CreateMultipartUploadRequest begin;
    begin.bucket = "pictures";
    begin.key = key;
    const auto upload = region_.wait(region_.s3().create_multipart_upload(region_.root(), begin));
    if (!upload.has_value()) return;
    const std::string body(kBig, 'p');
    const auto stream = http::body_of(body);
    wire::Context context = region_.root();
    context.body = stream.get();
    UploadPartRequest part;
    part.bucket = "pictures";
    part.key = key;
    part.upload_id = *upload->upload_id;
    part.part_number = 1;
    const auto sent = region_.wait(region_.s3().upload_part(context, std::move(part)));
    if (!sent.has_value()) return;
    CompleteMultipartUploadRequest end;
    end.bucket = "pictures";
    end.key = key;
    end.upload_id = *upload->upload_id;
    CompletedPart& completed = end.multipart_upload.emplace().parts.emplace().emplace_back();
    completed.part_number = 1;
    completed.etag = sent->etag;
    const bool done =
        region_.wait(region_.s3().complete_multipart_upload(region_.root(), end)).has_value();
    note(key, done, body);
  }

  S3Region& region_;
};

std::size_t count_keys(const store::Store& store, std::string_view prefix) {
  std::size_t count = 0;
  for (auto at = store.scan(store::Table::S3, prefix, store::prefix_end(prefix)); at->valid();
       at->next()) {
    ++count;
  }
  return count;
}

// Rules that were acknowledged are there, and the counts are those of what is listed.
void check_settings(S3Region& region, const Known& known) {
  const auto rules =
      region.wait(region.s3().get_bucket_cors(region.root(), {.bucket = "pictures"}));
  if (known.rules) {
    EXPECT_TRUE(rules.has_value());
  }
  const auto listed =
      region.wait(region.s3().list_objects_v2(region.root(), {.bucket = "pictures"}));
  std::int64_t bytes = 0;
  for (const Object& object : listed->contents.value_or(std::vector<Object>())) {
    bytes += *object.size;
  }
  const boost::json::array status = region.s3().status();
  EXPECT_EQ(status.at(0).at("objects").to_number<std::int64_t>(), *listed->key_count);
  EXPECT_EQ(status.at(0).at("bytes").to_number<std::int64_t>(), bytes);
}

void check_after_crash(S3Region& region, const store::Store& store, const Known& known) {
  if (!known.bucket) return;
  std::set<std::string> listed;
  for (const std::string& key : region.keys_of("pictures")) listed.insert(key);
  for (const auto& [key, body] : known.objects) {
    EXPECT_TRUE(listed.contains(key)) << key;
    EXPECT_EQ(region.body_of("pictures", key), body) << key;
  }
  for (const std::string& key : listed) {
    EXPECT_TRUE(known.objects.contains(key) || known.unsure.contains(key)) << key;
    EXPECT_NE(region.body_of("pictures", key).substr(0, 6), "no row") << key << " has no body";
    EXPECT_NE(region.body_of("pictures", key).substr(0, 10), "unreadable") << key;
  }
  const std::vector<std::string>& events = region.queues.messages[kQueueArn];
  for (const std::string& key : known.events) {
    EXPECT_TRUE(std::ranges::any_of(
        events,
        [&key](const std::string& event) { return event.contains("\"key\":\"" + key + "\""); }))
        << "the event of " << key << " is lost";
  }
  check_settings(region, known);
  EXPECT_EQ(count_keys(store, "n"), 0U) << "events wait although the queue takes them";
  EXPECT_EQ(count_keys(store, "f"), region.files()) << "files and the store disagree";
}

void crash_at(std::uint64_t effect, store::FaultPoint point, std::size_t kept, bool& fired) {
  store::FaultyStore store;
  S3Region region(&store);
  Scenario scenario(region);
  store.fail_effect(effect, point);
  scenario.run();
  fired = store.fired();
  region.stop();
  store.crash(kept);
  region.start();
  region.advance(std::chrono::minutes(10));
  check_after_crash(region, store, scenario.known);
}

TEST(S3Crash, NothingAcknowledgedIsLostWhicheverEffectFails) {
  for (const store::FaultPoint point : {store::FaultPoint::Before, store::FaultPoint::After}) {
    for (const std::size_t kept : {std::size_t{0}, std::size_t{1}}) {
      bool fired = true;
      for (std::uint64_t effect = 0; fired; ++effect) {
        SCOPED_TRACE("effect " + std::to_string(effect) + " point " +
                     std::to_string(static_cast<int>(point)) + " kept " + std::to_string(kept));
        crash_at(effect, point, kept, fired);
        ASSERT_LT(effect, 500U);
        if (testing::Test::HasFailure()) return;
      }
    }
  }
}

TEST(S3Crash, SweepRemovesOnlyWhatTheStoreDoesNotName) {
  store::FaultyStore store;
  S3Region region(&store);
  ASSERT_TRUE(region.create_bucket("pictures").has_value());
  ASSERT_TRUE(region.put("pictures", "kept", std::string(kBig, 'k')).has_value());
  // The metadata of this one is lost with the power: its file stays behind.
  store.fail_effect(1, store::FaultPoint::Before);
  EXPECT_FALSE(region.put("pictures", "lost", std::string(kBig, 'l')).has_value());
  region.stop();
  store.crash();
  EXPECT_EQ(region.files(), 2U);
  region.start();
  EXPECT_EQ(region.files(), 1U);
  EXPECT_EQ(region.body_of("pictures", "kept"), std::string(kBig, 'k'));
}

}  // namespace
}  // namespace terrarium::s3
