#include "terrarium/services/ec2/addresses.h"

#include "terrarium/services/ec2/address_rules.h"

namespace terrarium::ec2 {

using base::Result;
using runtime::Task;

Task<Result<AllocateAddressResult>> Addresses::allocate_address(const wire::Context& context,
                                                                AllocateAddressRequest request) {
  return core_.change(context, Effect::Recorded,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::allocate_address(transaction, request);
                      });
}

Task<Result<DescribeAddressesResult>> Addresses::describe_addresses(
    const wire::Context& context, DescribeAddressesRequest request) {
  CO_TRY(const State* const state, core_.records(context.region));
  co_return ec2::describe_addresses(*state, core_.scene_of(context), request);
}

Task<Result<DescribeAddressesAttributeResult>> Addresses::describe_addresses_attribute(
    const wire::Context& context, DescribeAddressesAttributeRequest request) {
  CO_TRY(const State* const state, core_.records(context.region));
  co_return ec2::describe_addresses_attribute(*state, request);
}

Task<Result<AssociateAddressResult>> Addresses::associate_address(const wire::Context& context,
                                                                  AssociateAddressRequest request) {
  return core_.change(context, Effect::Applied,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::associate_address(transaction, request);
                      });
}

Task<Result<wire::Empty>> Addresses::disassociate_address(const wire::Context& context,
                                                          DisassociateAddressRequest request) {
  return core_.change(context, Effect::Applied,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::disassociate_address(transaction, request);
                      });
}

Task<Result<wire::Empty>> Addresses::release_address(const wire::Context& context,
                                                     ReleaseAddressRequest request) {
  return core_.change(context, Effect::Recorded,
                      [request = std::move(request)](Transaction& transaction) {
                        return ec2::release_address(transaction, request);
                      });
}

}  // namespace terrarium::ec2
