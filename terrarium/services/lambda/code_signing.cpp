#include "terrarium/services/lambda/code_signing.h"

#include "generated/lambda/errors.h"
#include "terrarium/services/lambda/violation.h"

namespace terrarium::lambda {
namespace {

Place place_of(const wire::Context& context) { return {context.region, context.account}; }

std::unexpected<base::Error> not_found(const std::string& arn) {
  return base::fail(errors::kResourceNotFoundException,
                    "The Lambda code signing configuration " + arn + " can not be found.");
}

}  // namespace

CodeSigning::Answer<CreateCodeSigningConfigResponse> CodeSigning::create_code_signing_config(
    const Context&, CreateCodeSigningConfigRequest) {
  co_return unsupported("Code signing");
}

CodeSigning::Answer<GetCodeSigningConfigResponse> CodeSigning::get_code_signing_config(
    const Context&, GetCodeSigningConfigRequest request) {
  co_return not_found(request.code_signing_config_arn);
}

CodeSigning::Answer<UpdateCodeSigningConfigResponse> CodeSigning::update_code_signing_config(
    const Context&, UpdateCodeSigningConfigRequest request) {
  co_return not_found(request.code_signing_config_arn);
}

CodeSigning::Answer<DeleteCodeSigningConfigResponse> CodeSigning::delete_code_signing_config(
    const Context&, DeleteCodeSigningConfigRequest request) {
  co_return not_found(request.code_signing_config_arn);
}

CodeSigning::Answer<ListCodeSigningConfigsResponse> CodeSigning::list_code_signing_configs(
    const Context&, ListCodeSigningConfigsRequest) {
  ListCodeSigningConfigsResponse response;
  response.code_signing_configs.emplace();
  co_return response;
}

CodeSigning::Answer<ListFunctionsByCodeSigningConfigResponse>
CodeSigning::list_functions_by_code_signing_config(
    const Context&, ListFunctionsByCodeSigningConfigRequest request) {
  co_return not_found(request.code_signing_config_arn);
}

CodeSigning::Answer<PutFunctionCodeSigningConfigResponse>
CodeSigning::put_function_code_signing_config(const Context&,
                                              PutFunctionCodeSigningConfigRequest request) {
  co_return base::fail(errors::kCodeSigningConfigNotFoundException,
                       "The code signing configuration cannot be found. Check that the provided "
                       "configuration is not deleted: " +
                           request.code_signing_config_arn + ".");
}

CodeSigning::Answer<GetFunctionCodeSigningConfigResponse>
CodeSigning::get_function_code_signing_config(const Context& context,
                                              GetFunctionCodeSigningConfigRequest request) {
  CO_TRY(const Resolved found, catalog_.resolve(place_of(context), request.function_name));
  // As AWS answers it for a function without one; Terraform wants the name.
  GetFunctionCodeSigningConfigResponse response;
  response.function_name = found.latest->name;
  response.code_signing_config_arn = "";
  co_return response;
}

CodeSigning::Answer<wire::Empty> CodeSigning::delete_function_code_signing_config(
    const Context& context, DeleteFunctionCodeSigningConfigRequest request) {
  CO_TRY_VOID(catalog_.resolve(place_of(context), request.function_name));
  co_return wire::Empty{};
}

}  // namespace terrarium::lambda
