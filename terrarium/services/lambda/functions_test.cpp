#include <gtest/gtest.h>

#include "generated/lambda/errors.h"
#include "terrarium/services/lambda/testing_region.h"

namespace terrarium::lambda {
namespace {

template <class T>
std::string code_of(const base::Result<T>& result) {
  if (result) return "";
  return std::string(result.error().row != nullptr ? result.error().row->code : "no row");
}

TEST(LambdaFunction, IsThereUntilItIsDeleted) {
  TestingRegion region;
  region.create();
  GetFunctionRequest get;
  get.function_name = "f";
  const auto got = region.ask(region.service->get_function(region.context, get));
  ASSERT_TRUE(got.has_value());
  EXPECT_EQ(got->configuration->state, "Active");
  EXPECT_EQ(got->code->repository_type, "S3");
  EXPECT_EQ(code_of(region.ask(
                region.service->create_function(region.context, region.function_request()))),
            "ResourceConflictException");
  region.restart();
  EXPECT_TRUE(region.ask(region.service->get_function(region.context, get)).has_value());
  DeleteFunctionRequest gone;
  gone.function_name = "f";
  EXPECT_TRUE(region.ask(region.service->delete_function(region.context, gone)).has_value());
  EXPECT_EQ(code_of(region.ask(region.service->get_function(region.context, get))),
            "ResourceNotFoundException");
  region.run();
  EXPECT_TRUE(std::filesystem::is_empty(region.state / "lambda" / "code"));
}

TEST(LambdaFunction, ItsCodeIsServedToWhoeverWasGivenTheLink) {
  TestingRegion region;
  region.create();
  GetFunctionRequest get;
  get.function_name = "f";
  const auto got = region.ask(region.service->get_function(region.context, get));
  const std::string prefix = region.context.endpoint + std::string(kCodePrefix);
  ASSERT_TRUE(got->code->location->starts_with(prefix));
  std::string token = got->code->location->substr(prefix.size());
  const auto body = region.service->open_code(token);
  ASSERT_TRUE(body.has_value());
  EXPECT_EQ((*body)->length(), region.function_request().code.zip_file->size());
  token.back() = token.back() == '0' ? '1' : '0';
  EXPECT_FALSE(region.service->open_code(token).has_value());
  EXPECT_FALSE(region.service->open_code("..").has_value());
  EXPECT_FALSE(region.service->open_code("").has_value());
  region.advance(std::chrono::hours(1));
  EXPECT_FALSE(region.service->open_code(got->code->location->substr(prefix.size())).has_value());
}

TEST(LambdaFunction, ItsRoleTrustsLambda) {
  TestingRegion region;
  region.roles.trusted = false;
  const auto refused =
      region.ask(region.service->create_function(region.context, region.function_request()));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(code_of(refused), "InvalidParameterValueException");
  EXPECT_EQ(refused.error().message,
            "The role defined for the function cannot be assumed by Lambda.");
  region.roles.trusted = true;
  region.create();
  region.roles.trusted = false;
  UpdateFunctionConfigurationRequest request;
  request.function_name = "f";
  request.role = "arn:aws:iam::000000000000:role/other";
  EXPECT_EQ(
      code_of(region.ask(region.service->update_function_configuration(region.context, request))),
      "InvalidParameterValueException");
}

TEST(LambdaFunction, ItsRoleMaySendToItsDeadLetterQueue) {
  TestingRegion region;
  region.roles.forbidden = "sqs:SendMessage";
  region.create();
  UpdateFunctionConfigurationRequest request;
  request.function_name = "f";
  request.dead_letter_config.emplace().target_arn = TestingRegion::kQueue;
  const auto refused =
      region.ask(region.service->update_function_configuration(region.context, request));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().message,
            "The provided execution role does not have permissions to call SendMessage on SQS");
  auto another = region.function_request("g");
  another.dead_letter_config.emplace().target_arn = TestingRegion::kQueue;
  EXPECT_EQ(code_of(region.ask(region.service->create_function(region.context, another))),
            "InvalidParameterValueException");
  region.roles.forbidden = "";
  EXPECT_TRUE(region.ask(region.service->create_function(region.context, another)).has_value());
}

TEST(LambdaFunction, CodeComesFromAnObject) {
  TestingRegion region;
  region.objects.objects["b/k"] = zip_of({{"bootstrap", "from s3", 0755}});
  auto request = region.function_request();
  request.code = {.s3_bucket = "b", .s3_key = "k"};
  const auto made = region.ask(region.service->create_function(region.context, request));
  ASSERT_TRUE(made.has_value());
  EXPECT_EQ(made->code_size, region.objects.objects["b/k"].size());
  region.objects.objects["b/k?v1"] = zip_of({{"bootstrap", "an older one", 0755}});
  request.function_name = "older";
  request.code.s3_object_version = "v1";
  const auto older = region.ask(region.service->create_function(region.context, request));
  ASSERT_TRUE(older.has_value());
  EXPECT_EQ(older->code_size, region.objects.objects["b/k?v1"].size());
  request.function_name = "g";
  request.code.s3_object_version = "none";
  EXPECT_EQ(code_of(region.ask(region.service->create_function(region.context, request))),
            "InvalidParameterValueException");
  request.code.s3_object_version.reset();
  request.code.s3_key = "none";
  EXPECT_EQ(code_of(region.ask(region.service->create_function(region.context, request))),
            "InvalidParameterValueException");
}

TEST(LambdaFunction, NewCodeReplacesTheOld) {
  TestingRegion region;
  region.create();
  UpdateFunctionCodeRequest update;
  update.function_name = "f";
  update.zip_file = zip_of({{"bootstrap", "new", 0755}});
  update.dry_run = true;
  ASSERT_TRUE(region.ask(region.service->update_function_code(region.context, update)));
  GetFunctionConfigurationRequest get;
  get.function_name = "f";
  const auto before = region.ask(region.service->get_function_configuration(region.context, get));
  update.dry_run.reset();
  update.revision_id = "stale";
  EXPECT_EQ(code_of(region.ask(region.service->update_function_code(region.context, update))),
            "PreconditionFailedException");
  update.revision_id = before->revision_id;
  const auto after = region.ask(region.service->update_function_code(region.context, update));
  ASSERT_TRUE(after.has_value());
  EXPECT_NE(after->code_sha256, before->code_sha256);
  EXPECT_NE(after->revision_id, before->revision_id);
  region.run();
  int kept = 0;
  for (const auto& entry : std::filesystem::directory_iterator(region.state / "lambda" / "code")) {
    static_cast<void>(entry);
    ++kept;
  }
  EXPECT_EQ(kept, 1);
}

TEST(LambdaFunction, ListsInPages) {
  TestingRegion region;
  for (const char* name : {"a", "b", "c"}) region.create(name);
  ListFunctionsRequest list;
  list.max_items = 2;
  const auto first = region.ask(region.service->list_functions(region.context, list));
  ASSERT_EQ(first->functions->size(), 2U);
  list.marker = first->next_marker;
  const auto second = region.ask(region.service->list_functions(region.context, list));
  ASSERT_EQ(second->functions->size(), 1U);
  EXPECT_EQ(second->functions->front().function_name, "c");
  EXPECT_FALSE(second->next_marker.has_value());
  region.context.region = "eu-west-1";
  EXPECT_TRUE(region.ask(region.service->list_functions(region.context, {}))->functions->empty());
}

TEST(LambdaFunction, TagsAndConcurrencyAreKept) {
  TestingRegion region;
  region.create();
  const std::string arn = "arn:aws:lambda:us-east-1:000000000000:function:f";
  ASSERT_TRUE(region.ask(region.service->tag_resource(region.context, {arn, {{"k", "v"}}})));
  EXPECT_EQ(region.ask(region.service->list_tags(region.context, {arn}))->tags->at("k"), "v");
  ASSERT_TRUE(region.ask(region.service->untag_resource(region.context, {arn, {"k"}})));
  EXPECT_TRUE(region.ask(region.service->list_tags(region.context, {arn}))->tags->empty());
  PutFunctionConcurrencyRequest reserve;
  reserve.function_name = "f";
  reserve.reserved_concurrent_executions = 901;
  EXPECT_EQ(code_of(region.ask(region.service->put_function_concurrency(region.context, reserve))),
            "InvalidParameterValueException");
  reserve.reserved_concurrent_executions = 900;
  EXPECT_TRUE(region.ask(region.service->put_function_concurrency(region.context, reserve)));
  region.restart();
  GetFunctionConcurrencyRequest get;
  get.function_name = "f";
  EXPECT_EQ(region.ask(region.service->get_function_concurrency(region.context, get))
                ->reserved_concurrent_executions,
            900);
}

TEST(LambdaFunction, PermissionsAreKeptAsStatements) {
  TestingRegion region;
  region.create();
  GetPolicyRequest get;
  get.function_name = "f";
  EXPECT_EQ(code_of(region.ask(region.service->get_policy(region.context, get))),
            "ResourceNotFoundException");
  AddPermissionRequest add;
  add.function_name = "f";
  add.statement_id = "s3";
  add.action = "lambda:InvokeFunction";
  add.principal = "s3.amazonaws.com";
  add.source_arn = "arn:aws:s3:::bucket";
  ASSERT_TRUE(region.ask(region.service->add_permission(region.context, add)));
  EXPECT_EQ(code_of(region.ask(region.service->add_permission(region.context, add))),
            "ResourceConflictException");
  const auto policy = region.ask(region.service->get_policy(region.context, get));
  EXPECT_NE(policy->policy->find(R"("Principal":{"Service":"s3.amazonaws.com"})"),
            std::string::npos);
  RemovePermissionRequest remove;
  remove.function_name = "f";
  remove.statement_id = "s3";
  ASSERT_TRUE(region.ask(region.service->remove_permission(region.context, remove)));
  EXPECT_EQ(code_of(region.ask(region.service->remove_permission(region.context, remove))),
            "ResourceNotFoundException");
}

}  // namespace
}  // namespace terrarium::lambda
