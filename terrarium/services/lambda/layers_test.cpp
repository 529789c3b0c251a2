#include <fstream>

#include "terrarium/services/lambda/testing_region.h"

namespace terrarium::lambda {
namespace {

template <class T>
std::string refusal(const base::Result<T>& result) {
  return result ? "" : std::string(result.error().row->code) + ": " + result.error().message;
}

class LambdaLayers : public testing::Test {
 protected:
  std::string publish(std::string name, std::vector<ZipEntry> files) {
    PublishLayerVersionRequest request;
    request.layer_name = std::move(name);
    request.content.zip_file = zip_of(files);
    const auto made = region.ask(region.service->publish_layer_version(region.context, request));
    EXPECT_TRUE(made.has_value()) << refusal(made);
    return made ? *made->layer_version_arn : "";
  }
  base::Result<FunctionConfiguration> use(std::vector<std::string> layers) {
    UpdateFunctionConfigurationRequest request;
    request.function_name = "f";
    request.layers = std::move(layers);
    return region.ask(region.service->update_function_configuration(region.context, request));
  }
  static std::string read(const std::filesystem::path& path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  // What the last environment saw at /opt.
  std::filesystem::path opt() {
    region.invoke("{}");
    return region.sandbox.started().back()->spec.opt;
  }

  TestingRegion region;
};

TEST_F(LambdaLayers, LieOverEachOtherInTheirOrder) {
  region.create();
  const std::string below = publish("below", {{"bin/tool", "1", 0755}, {"same", "below"}});
  const std::string above = publish("above", {{"lib/thing", "2"}, {"same", "above"}});
  const auto updated = use({below, above});
  ASSERT_TRUE(updated.has_value()) << refusal(updated);
  EXPECT_EQ(updated->layers->at(1).arn, above);
  const auto seen = opt();
  EXPECT_EQ(read(seen / "bin/tool"), "1");
  EXPECT_EQ(read(seen / "lib/thing"), "2");
  EXPECT_EQ(read(seen / "same"), "above");
  ASSERT_TRUE(use({above, below}).has_value());
  EXPECT_EQ(read(opt() / "same"), "below");
}

TEST_F(LambdaLayers, OutliveTheirDeletionInFunctionsThatHaveThem) {
  region.create();
  const std::string arn = publish("l", {{"file", "kept"}});
  ASSERT_TRUE(use({arn}).has_value());
  DeleteLayerVersionRequest request;
  request.layer_name = "l";
  request.version_number = 1;
  ASSERT_TRUE(
      region.ask(region.service->delete_layer_version(region.context, request)).has_value());
  region.restart();
  EXPECT_EQ(read(opt() / "file"), "kept");
  EXPECT_NE(refusal(use({arn})).find("does not exist"), std::string::npos);
  EXPECT_EQ(publish("l", {{"file", "new"}}), arn.substr(0, arn.size() - 1) + "2");
}

TEST_F(LambdaLayers, OfAFunctionAreFewDifferentAndHere) {
  region.create();
  const std::string one = publish("l", {{"file", "1"}});
  const std::string two = publish("l", {{"file", "2"}});
  EXPECT_NE(refusal(use({one, two})).find("Two different versions of the same layer"),
            std::string::npos);
  EXPECT_NE(refusal(use({one.substr(0, one.size() - 2)})).find("at 'layers'"), std::string::npos);
  EXPECT_NE(refusal(use({"arn:aws:lambda:eu-west-1:000000000000:layer:l:1"})).find("same region"),
            std::string::npos);
  EXPECT_NE(refusal(use(std::vector<std::string>(6, one))).find("more than 5"), std::string::npos);
}

TEST_F(LambdaLayers, EachFilterThatNamesNothingIsNamed) {
  ListLayersRequest request;
  request.compatible_runtime = "cobol";
  request.compatible_architecture = "vax";
  const std::string text =
      refusal(region.ask(region.service->list_layers(region.context, request)));
  EXPECT_NE(text.find("2 validation errors detected: Value 'cobol' at 'compatibleRuntime'"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("; Value 'vax' at 'compatibleArchitecture'"), std::string::npos) << text;
}

TEST_F(LambdaLayers, CodeThatNobodyHasGoes) {
  region.create();
  publish("l", {{"file", "gone"}});
  const auto codes = [this] {
    return std::distance(std::filesystem::directory_iterator(region.state / "lambda" / "code"),
                         std::filesystem::directory_iterator());
  };
  EXPECT_EQ(codes(), 2);
  DeleteLayerVersionRequest request;
  request.layer_name = "l";
  request.version_number = 1;
  ASSERT_TRUE(
      region.ask(region.service->delete_layer_version(region.context, request)).has_value());
  region.run();
  EXPECT_EQ(codes(), 1);
}

}  // namespace
}  // namespace terrarium::lambda
