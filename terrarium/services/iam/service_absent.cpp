// What nobody here has: devices, certificates, SSH keys, identity providers. Making them is
// refused; whoever deletes a user or surveys an account asks for them and is told that there are
// none.
#include "terrarium/services/iam/service.h"

namespace terrarium::iam {
namespace {

using base::Result;
using runtime::Task;

template <class Response>
Response none() {
  Response response;
  response.is_truncated = false;
  return response;
}

}  // namespace

Task<Result<ListMFADevicesResponse>> Service::list_mfa_devices(const Context&,
                                                               ListMFADevicesRequest request) {
  if (request.user_name) CO_TRY_VOID(directory_.need(Kind::User, *request.user_name));
  co_return none<ListMFADevicesResponse>();
}

Task<Result<ListVirtualMFADevicesResponse>> Service::list_virtual_mfa_devices(
    const Context&, ListVirtualMFADevicesRequest) {
  co_return none<ListVirtualMFADevicesResponse>();
}

Task<Result<ListServerCertificatesResponse>> Service::list_server_certificates(
    const Context&, ListServerCertificatesRequest) {
  co_return none<ListServerCertificatesResponse>();
}

Task<Result<ListSigningCertificatesResponse>> Service::list_signing_certificates(
    const Context&, ListSigningCertificatesRequest request) {
  if (request.user_name) CO_TRY_VOID(directory_.need(Kind::User, *request.user_name));
  co_return none<ListSigningCertificatesResponse>();
}

Task<Result<ListSSHPublicKeysResponse>> Service::list_ssh_public_keys(
    const Context&, ListSSHPublicKeysRequest request) {
  if (request.user_name) CO_TRY_VOID(directory_.need(Kind::User, *request.user_name));
  auto response = none<ListSSHPublicKeysResponse>();
  response.ssh_public_keys.emplace();
  co_return response;
}

Task<Result<ListServiceSpecificCredentialsResponse>> Service::list_service_specific_credentials(
    const Context&, ListServiceSpecificCredentialsRequest request) {
  if (request.user_name) CO_TRY_VOID(directory_.need(Kind::User, *request.user_name));
  ListServiceSpecificCredentialsResponse response;
  response.service_specific_credentials.emplace();
  co_return response;
}

Task<Result<ListOpenIDConnectProvidersResponse>> Service::list_open_id_connect_providers(
    const Context&, ListOpenIDConnectProvidersRequest) {
  ListOpenIDConnectProvidersResponse response;
  response.open_id_connect_provider_list.emplace();
  co_return response;
}

Task<Result<ListSAMLProvidersResponse>> Service::list_saml_providers(const Context&,
                                                                     ListSAMLProvidersRequest) {
  ListSAMLProvidersResponse response;
  response.saml_provider_list.emplace();
  co_return response;
}

}  // namespace terrarium::iam
