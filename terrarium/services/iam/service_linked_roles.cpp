// Roles that services of AWS make for themselves.
#include <algorithm>

#include "generated/iam/errors.h"
#include "terrarium/services/iam/service.h"

namespace terrarium::iam {
namespace {

using base::Result;
using runtime::Task;

struct LinkedService {
  std::string_view name;
  std::string_view role;    // after "AWSServiceRoleFor"
  std::string_view policy;  // in /aws-service-role/
  bool takes_suffix;
};

constexpr LinkedService kServices[] = {
    {"autoscaling.amazonaws.com", "AutoScaling", "AutoScalingServiceRolePolicy", true},
    {"elasticloadbalancing.amazonaws.com", "ElasticLoadBalancing",
     "AWSElasticLoadBalancingServiceRolePolicy", false},
    {"rds.amazonaws.com", "RDS", "AmazonRDSServiceRolePolicy", false}};

constexpr std::string_view kPath = "/aws-service-role/";
constexpr std::string_view kRolePrefixName = "AWSServiceRoleFor";

const LinkedService* find_service(std::string_view name) {
  const auto* const found = std::ranges::find(kServices, name, &LinkedService::name);
  return found == std::end(kServices) ? nullptr : found;
}

}  // namespace

Task<Result<CreateServiceLinkedRoleResponse>> Service::create_service_linked_role(
    const Context& context, CreateServiceLinkedRoleRequest request) {
  const LinkedService* const service = find_service(request.aws_service_name);
  if (service == nullptr) {
    co_return base::fail(errors::kInvalidInputException, "Service-linked roles of " +
                                                             request.aws_service_name +
                                                             " are not supported by this region.");
  }
  if (request.custom_suffix && !service->takes_suffix) {
    co_return base::fail(errors::kInvalidInputException,
                         "Custom suffix is not allowed for " + request.aws_service_name);
  }
  Entity entity;
  entity.name = std::string(kRolePrefixName) + std::string(service->role);
  if (request.custom_suffix) entity.name += "_" + *request.custom_suffix;
  CO_TRY_VOID(check_name(entity.name, "customSuffix"));
  entity.path = std::string(kPath) + request.aws_service_name + "/";
  CO_TRY(const std::optional<Entity> existing, directory_.read(Kind::Role, entity.name));
  if (existing) {
    co_return base::fail(errors::kInvalidInputException,
                         "Service role name " + entity.name +
                             " has been taken in this account, please try a different suffix.");
  }
  entity.trust = R"({"Version":"2012-10-17","Statement":[{"Action":["sts:AssumeRole"],)"
                 R"("Effect":"Allow","Principal":{"Service":[")" +
                 request.aws_service_name + R"("]}}]})";
  entity.description = request.description;
  entity.attached.push_back(std::string(kAwsPolicyArn) + std::string(kPath) +
                            std::string(service->policy));
  entity.id = new_id(random_, "AROA");
  entity.created = context.now;
  store::Batch batch;
  directory_.replace(batch, Kind::Role, nullptr, &entity);
  CO_TRY_VOID(co_await commit(std::move(batch)));
  co_return CreateServiceLinkedRoleResponse{describe_role(directory_, entity)};
}

// AWS asks the service whether it still needs the role; nobody here does.
Task<Result<DeleteServiceLinkedRoleResponse>> Service::delete_service_linked_role(
    const Context&, DeleteServiceLinkedRoleRequest request) {
  CO_TRY(const Entity entity, directory_.need(Kind::Role, request.role_name));
  if (!entity.path.starts_with(kPath)) {
    co_return base::fail(errors::kInvalidInputException,
                         "Role " + entity.name + " is not a service-linked role.");
  }
  store::Batch batch;
  directory_.replace(batch, Kind::Role, &entity, nullptr);
  CO_TRY_VOID(co_await commit(std::move(batch)));
  co_return DeleteServiceLinkedRoleResponse{"task" + entity.path + entity.name + "/" +
                                            random_.uuid()};
}

Task<Result<GetServiceLinkedRoleDeletionStatusResponse>>
Service::get_service_linked_role_deletion_status(
    const Context&, GetServiceLinkedRoleDeletionStatusRequest request) {
  const std::string& task = request.deletion_task_id;
  const bool ours =
      task.starts_with("task" + std::string(kPath)) && std::ranges::count(task, '/') == 4;
  if (!ours) {
    co_return base::fail(errors::kNoSuchEntityException,
                         "Deletion task " + task + " cannot be found.");
  }
  // Deletions are done when they are answered.
  co_return GetServiceLinkedRoleDeletionStatusResponse{"SUCCEEDED", {}};
}

}  // namespace terrarium::iam
