#include "terrarium/services/ec2/profile_rules.h"

#include <algorithm>
#include <array>

#include "generated/ec2/errors.h"
#include "terrarium/services/ec2/launch_choices.h"
#include "terrarium/services/ec2/select.h"

namespace terrarium::ec2 {
namespace {

using Field = FilterField<InstanceRecord>;

constexpr std::array kAssociationFilters{
    Field{"instance-id",
          [](const State&, const InstanceRecord& one) { return FilterValues{one.id.value}; }},
    Field{"state", [](const State&, const InstanceRecord&) { return FilterValues{"associated"}; }},
};

bool is_alive(const InstanceRecord& instance) {
  return instance.state != InstanceStateName::Terminated &&
         instance.state != InstanceStateName::ShuttingDown;
}

IamInstanceProfileAssociation view(const InstanceRecord& instance, std::string state) {
  const ProfileAssociationRecord& profile = *instance.profile;
  return {.association_id = profile.id.value,
          .instance_id = instance.id.value,
          .iam_instance_profile = IamInstanceProfile{profile.profile_arn, profile.profile_id},
          .state = std::move(state),
          .timestamp = profile.time};
}

base::Result<const InstanceRecord*> associated(const State& state, const std::string& id) {
  for (const InstanceRecord& instance : state.all<InstanceRecord>()) {
    if (is_alive(instance) && instance.profile.has_value() && instance.profile->id.value == id) {
      return &instance;
    }
  }
  return base::fail(errors::kNoSuchAssociation,
                    "An invalid association-id of '" + id + "' was given");
}

// Gives the instance the profile, under an association of its own.
IamInstanceProfileAssociation give(Transaction& transaction, InstanceRecord instance,
                                   ProfileAssociationRecord profile) {
  profile.id = new_id<ProfileAssociationId>(transaction.random());
  profile.time = transaction.now();
  instance.profile = std::move(profile);
  const IamInstanceProfileAssociation answer = view(instance, "associating");
  transaction.put(std::move(instance));
  return answer;
}

}  // namespace

base::Result<DescribeIamInstanceProfileAssociationsResult>
describe_iam_instance_profile_associations(
    const State& state, const DescribeIamInstanceProfileAssociationsRequest& request) {
  TRY(const FilterSet filters, FilterSet::of(request.filters));
  const std::span<const Field> fields(kAssociationFilters);
  TRY_VOID(filters.check(fields));
  const auto ids = request.association_ids.value_or(std::vector<std::string>{});
  for (const std::string& id : ids) TRY_VOID(associated(state, id));
  std::vector<const InstanceRecord*> found;
  for (const InstanceRecord& one : state.all<InstanceRecord>()) {
    if (!one.profile.has_value() || !is_alive(one)) continue;
    const bool named = ids.empty() || std::ranges::find(ids, one.profile->id.value) != ids.end();
    if (named && filters.match(state, one, one.tags, fields)) found.push_back(&one);
  }
  TRY(const auto page, paginate(std::move(found), {request.max_results, request.next_token}));
  DescribeIamInstanceProfileAssociationsResult result{
      .iam_instance_profile_associations = std::vector<IamInstanceProfileAssociation>{},
      .next_token = page.next_token};
  for (const InstanceRecord* one : page.records) {
    result.iam_instance_profile_associations->push_back(view(*one, "associated"));
  }
  return result;
}

base::Result<AssociateIamInstanceProfileResult> associate_iam_instance_profile(
    Transaction& transaction, const AssociateIamInstanceProfileRequest& request,
    const InstanceProfiles& profiles) {
  TRY(const InstanceRecord* const found,
      require<InstanceRecord>(transaction.state(), request.instance_id));
  if (!is_alive(*found)) {
    return base::fail(errors::kIncorrectInstanceState,
                      "The instance '" + request.instance_id + "' is terminated.");
  }
  if (found->profile.has_value()) {
    return base::fail(errors::kIncorrectState,
                      "There is an existing association for instance " + request.instance_id);
  }
  TRY(ProfileAssociationRecord profile, choose_profile(profiles, request.iam_instance_profile));
  return AssociateIamInstanceProfileResult{give(transaction, *found, std::move(profile))};
}

base::Result<ReplaceIamInstanceProfileAssociationResult> replace_iam_instance_profile_association(
    Transaction& transaction, const ReplaceIamInstanceProfileAssociationRequest& request,
    const InstanceProfiles& profiles) {
  TRY(const InstanceRecord* const found, associated(transaction.state(), request.association_id));
  TRY(ProfileAssociationRecord profile, choose_profile(profiles, request.iam_instance_profile));
  return ReplaceIamInstanceProfileAssociationResult{give(transaction, *found, std::move(profile))};
}

base::Result<DisassociateIamInstanceProfileResult> disassociate_iam_instance_profile(
    Transaction& transaction, const DisassociateIamInstanceProfileRequest& request) {
  TRY(const InstanceRecord* const found, associated(transaction.state(), request.association_id));
  InstanceRecord instance = *found;
  const IamInstanceProfileAssociation answer = view(instance, "disassociating");
  instance.profile.reset();
  transaction.put(std::move(instance));
  return DisassociateIamInstanceProfileResult{answer};
}

}  // namespace terrarium::ec2
