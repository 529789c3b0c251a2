// Tags of users, roles, managed policies and instance profiles.
#include <algorithm>

#include "generated/iam/errors.h"
#include "terrarium/services/iam/service.h"

namespace terrarium::iam {
namespace {

using base::Result;
using runtime::Task;

template <class Response, class Request>
Result<Response> listed(const Tags& tags, const Request& request) {
  TRY(Page<Tag> page, page_of(to_answer(tags), request.marker, request.max_items));
  Response response;
  finish(response, page);
  response.tags = std::move(page.items);
  return response;
}

Result<void> change(Tags& tags, const std::vector<Tag>& add, const std::vector<std::string>& remove,
                    TagCase tag_case) {
  TRY_VOID(remove_tags(tags, remove, tag_case));
  return add_tags(tags, add, tag_case);
}

}  // namespace

Task<Result<wire::Empty>> Service::tag(Kind kind, std::string name, std::vector<Tag> add,
                                       std::vector<std::string> remove) {
  CO_TRY(const Entity before, directory_.need(kind, name));
  Entity after = before;
  CO_TRY_VOID(change(after.tags, add, remove, TagCase::Ignored));
  co_return co_await save(kind, before, after);
}

Task<Result<wire::Empty>> Service::tag_user(const Context&, TagUserRequest request) {
  return tag(Kind::User, std::move(request.user_name), std::move(request.tags), {});
}

Task<Result<wire::Empty>> Service::untag_user(const Context&, UntagUserRequest request) {
  return tag(Kind::User, std::move(request.user_name), {}, std::move(request.tag_keys));
}

Task<Result<ListUserTagsResponse>> Service::list_user_tags(const Context&,
                                                           ListUserTagsRequest request) {
  CO_TRY(const Entity user, directory_.need(Kind::User, request.user_name));
  co_return listed<ListUserTagsResponse>(user.tags, request);
}

Task<Result<wire::Empty>> Service::tag_role(const Context&, TagRoleRequest request) {
  return tag(Kind::Role, std::move(request.role_name), std::move(request.tags), {});
}

Task<Result<wire::Empty>> Service::untag_role(const Context&, UntagRoleRequest request) {
  return tag(Kind::Role, std::move(request.role_name), {}, std::move(request.tag_keys));
}

Task<Result<ListRoleTagsResponse>> Service::list_role_tags(const Context&,
                                                           ListRoleTagsRequest request) {
  CO_TRY(const Entity role, directory_.need(Kind::Role, request.role_name));
  co_return listed<ListRoleTagsResponse>(role.tags, request);
}

Task<Result<wire::Empty>> Service::tag_policy(const Context& context, TagPolicyRequest request) {
  CO_TRY(PolicyRecord policy, own_policy(context, "TagPolicy", request.policy_arn));
  CO_TRY_VOID(change(policy.tags, request.tags, {}, TagCase::Matters));
  store::Batch batch;
  directory_.put(batch, policy);
  co_return co_await commit(std::move(batch));
}

Task<Result<wire::Empty>> Service::untag_policy(const Context& context,
                                                UntagPolicyRequest request) {
  CO_TRY(PolicyRecord policy, own_policy(context, "UntagPolicy", request.policy_arn));
  CO_TRY_VOID(change(policy.tags, {}, request.tag_keys, TagCase::Matters));
  store::Batch batch;
  directory_.put(batch, policy);
  co_return co_await commit(std::move(batch));
}

Task<Result<ListPolicyTagsResponse>> Service::list_policy_tags(const Context&,
                                                               ListPolicyTagsRequest request) {
  CO_TRY(const std::optional<PolicyRecord> policy, directory_.read_policy(request.policy_arn));
  if (!policy) {
    co_return base::fail(errors::kNoSuchEntityException,
                         "Policy " + request.policy_arn + " was not found.");
  }
  Tags sorted = policy->tags;
  std::ranges::sort(sorted);
  co_return listed<ListPolicyTagsResponse>(sorted, request);
}

Task<Result<wire::Empty>> Service::tag_instance_profile(const Context&,
                                                        TagInstanceProfileRequest request) {
  CO_TRY(const ProfileRecord before, directory_.need_profile(request.instance_profile_name));
  ProfileRecord after = before;
  CO_TRY_VOID(change(after.tags, request.tags, {}, TagCase::Ignored));
  store::Batch batch;
  directory_.replace(batch, &before, &after);
  co_return co_await commit(std::move(batch));
}

Task<Result<wire::Empty>> Service::untag_instance_profile(const Context&,
                                                          UntagInstanceProfileRequest request) {
  CO_TRY(const ProfileRecord before, directory_.need_profile(request.instance_profile_name));
  ProfileRecord after = before;
  CO_TRY_VOID(change(after.tags, {}, request.tag_keys, TagCase::Ignored));
  store::Batch batch;
  directory_.replace(batch, &before, &after);
  co_return co_await commit(std::move(batch));
}

Task<Result<ListInstanceProfileTagsResponse>> Service::list_instance_profile_tags(
    const Context&, ListInstanceProfileTagsRequest request) {
  CO_TRY(const ProfileRecord profile, directory_.need_profile(request.instance_profile_name));
  co_return listed<ListInstanceProfileTagsResponse>(profile.tags, request);
}

}  // namespace terrarium::iam
