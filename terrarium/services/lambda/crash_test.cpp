// Every step of a function's life, cut off at every write and every sync: what was acknowledged is
// there afterwards, whole, and nothing half done is.
#include "terrarium/services/lambda/testing_region.h"
#include "terrarium/store/faulty.h"

namespace terrarium::lambda {
namespace {

using store::FaultPoint;
using store::FaultyStore;

class Life {
 public:
  Life() {
    region.stop();
    auto made = std::make_unique<FaultyStore>();
    store = made.get();
    region.store = std::move(made);
    region.start();
  }

  // Goes on until something fails; remembers what was acknowledged.
  void run() {
    if (!make() || !publish(1) || !change() || !publish(2) || !point("1") || !point("2")) return;
    if (!add_layer() || !remove_version() || !add_url()) return;
    remove_function();
  }

  void crash(std::size_t kept) {
    store->crash(kept);
    region.restart();
  }

  void check() {
    Service& service = *region.service;
    GetFunctionRequest get;
    get.function_name = "f";
    const auto found = region.ask(service.get_function(region.context, get));
    if (removed || !created) {
      if (found.has_value()) EXPECT_FALSE(removed);
    } else if (!removing) {
      ASSERT_TRUE(found.has_value()) << "an acknowledged function is gone";
    }
    if (!found) return check_nothing_is_left();
    EXPECT_TRUE(region.service
                    ->open_code(found->code->location->substr(region.context.endpoint.size() +
                                                              kCodePrefix.size()))
                    .has_value());
    if (!removing) check_versions();
    check_a_number_is_given_out_once();
  }

 private:
  template <class T>
  static bool done(const base::Result<T>& result) {
    return result.has_value();
  }

  bool make() {
    return created = done(region.ask(
               region.service->create_function(region.context, region.function_request())));
  }
  bool publish(std::uint64_t number) {
    PublishVersionRequest request;
    request.function_name = "f";
    const auto made = region.ask(region.service->publish_version(region.context, request));
    if (!made) return false;
    EXPECT_EQ(made->version, std::to_string(number));
    published = number;
    return true;
  }
  bool change() {
    UpdateFunctionCodeRequest request;
    request.function_name = "f";
    request.zip_file = zip_of({{"bootstrap", "#!/bin/sh\n# second\n", 0755}});
    return done(region.ask(region.service->update_function_code(region.context, request)));
  }
  bool point(std::string version) {
    if (alias.empty()) {
      CreateAliasRequest request;
      request.function_name = "f";
      request.name = "live";
      request.function_version = version;
      if (!done(region.ask(region.service->create_alias(region.context, request)))) return false;
    } else {
      UpdateAliasRequest request;
      request.function_name = "f";
      request.name = "live";
      request.function_version = version;
      if (!done(region.ask(region.service->update_alias(region.context, request)))) return false;
    }
    alias = version;
    return true;
  }
  bool add_layer() {
    PublishLayerVersionRequest request;
    request.layer_name = "l";
    request.content.zip_file = zip_of({{"file", "text"}});
    if (!done(region.ask(region.service->publish_layer_version(region.context, request)))) {
      return false;
    }
    layers = 1;
    UpdateFunctionConfigurationRequest use;
    use.function_name = "f";
    use.layers = {"arn:aws:lambda:us-east-1:000000000000:layer:l:1"};
    return done(region.ask(region.service->update_function_configuration(region.context, use)));
  }
  bool remove_version() {
    DeleteFunctionRequest request;
    request.function_name = "f:1";
    removing_first = true;
    return first_removed =
               done(region.ask(region.service->delete_function(region.context, request)));
  }
  bool add_url() {
    CreateFunctionUrlConfigRequest request;
    request.function_name = "f";
    request.qualifier = "live";
    request.auth_type = "NONE";
    return url = done(
               region.ask(region.service->create_function_url_config(region.context, request)));
  }
  void remove_function() {
    DeleteFunctionRequest request;
    request.function_name = "f";
    removing = true;
    removed = done(region.ask(region.service->delete_function(region.context, request)));
  }

  bool has(std::string qualifier) {
    GetFunctionConfigurationRequest request;
    request.function_name = "f";
    request.qualifier = std::move(qualifier);
    return done(region.ask(region.service->get_function_configuration(region.context, request)));
  }
  void check_versions() {
    for (std::uint64_t number = 1; number <= published; ++number) {
      if (number == 1 && removing_first) continue;
      EXPECT_TRUE(has(std::to_string(number))) << "version " << number;
    }
    if (first_removed) EXPECT_FALSE(has("1"));
    if (!alias.empty()) EXPECT_TRUE(has("live"));
    GetFunctionUrlConfigRequest request;
    request.function_name = "f";
    request.qualifier = "live";
    if (url) {
      EXPECT_TRUE(
          region.ask(region.service->get_function_url_config(region.context, request)).has_value());
    }
    GetLayerVersionRequest layer;
    layer.layer_name = "l";
    layer.version_number = 1;
    if (layers > 0) {
      EXPECT_TRUE(region.ask(region.service->get_layer_version(region.context, layer)).has_value());
    }
  }
  void check_a_number_is_given_out_once() {
    UpdateFunctionConfigurationRequest request;
    request.function_name = "f";
    request.description = "after the crash";
    ASSERT_TRUE(region.ask(region.service->update_function_configuration(region.context, request))
                    .has_value());
    PublishVersionRequest again;
    again.function_name = "f";
    const auto made = region.ask(region.service->publish_version(region.context, again));
    ASSERT_TRUE(made.has_value());
    EXPECT_GT(std::stoull(*made->version), published);
  }
  void check_nothing_is_left() {
    ASSERT_TRUE(make());
    EXPECT_FALSE(has("1") || has("2") || has("live")) << "of a function that was deleted";
  }

 public:
  TestingRegion region;
  FaultyStore* store = nullptr;
  bool created = false;
  std::uint64_t published = 0;
  std::string alias;
  int layers = 0;
  bool removing_first = false;
  bool first_removed = false;
  bool url = false;
  bool removing = false;
  bool removed = false;
};

void fail_everywhere(FaultPoint point, std::size_t kept) {
  for (std::uint64_t n = 0;; ++n) {
    SCOPED_TRACE(testing::Message() << "effect " << n);
    Life life;
    life.store->fail_effect(n, point);
    life.run();
    if (!life.store->fired()) {
      EXPECT_TRUE(life.removed);
      break;
    }
    life.crash(kept);
    life.check();
    ASSERT_LT(n, 100U);
  }
}

TEST(LambdaCrash, BeforeAWriteOrSync) { fail_everywhere(FaultPoint::Before, 0); }
TEST(LambdaCrash, AfterAWriteOrSync) { fail_everywhere(FaultPoint::After, 0); }
TEST(LambdaCrash, WithWhatTheDiskHadWrittenByItself) { fail_everywhere(FaultPoint::Before, 1); }

}  // namespace
}  // namespace terrarium::lambda
