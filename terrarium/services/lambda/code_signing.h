// Code signing: nobody signs code here, so no configuration can be made, and whoever names one
// names one that is not there. What AWS answers for functions without is answered.
#pragma once

#include "generated/lambda/model.h"
#include "lib/base/result.h"
#include "lib/runtime/task.h"
#include "terrarium/services/lambda/catalog.h"
#include "terrarium/wire/service.h"

namespace terrarium::lambda {

class CodeSigning {
 public:
  template <class T>
  using Answer = runtime::Task<base::Result<T>>;
  using Context = wire::Context;

  // `catalog` outlives it.
  explicit CodeSigning(const Catalog& catalog) : catalog_(catalog) {}

  Answer<CreateCodeSigningConfigResponse> create_code_signing_config(
      const Context&, CreateCodeSigningConfigRequest);
  Answer<GetCodeSigningConfigResponse> get_code_signing_config(const Context&,
                                                               GetCodeSigningConfigRequest);
  Answer<UpdateCodeSigningConfigResponse> update_code_signing_config(
      const Context&, UpdateCodeSigningConfigRequest);
  Answer<DeleteCodeSigningConfigResponse> delete_code_signing_config(
      const Context&, DeleteCodeSigningConfigRequest);
  Answer<ListCodeSigningConfigsResponse> list_code_signing_configs(const Context&,
                                                                   ListCodeSigningConfigsRequest);
  Answer<ListFunctionsByCodeSigningConfigResponse> list_functions_by_code_signing_config(
      const Context&, ListFunctionsByCodeSigningConfigRequest);
  Answer<PutFunctionCodeSigningConfigResponse> put_function_code_signing_config(
      const Context&, PutFunctionCodeSigningConfigRequest);
  Answer<GetFunctionCodeSigningConfigResponse> get_function_code_signing_config(
      const Context&, GetFunctionCodeSigningConfigRequest);
  Answer<wire::Empty> delete_function_code_signing_config(const Context&,
                                                          DeleteFunctionCodeSigningConfigRequest);

 private:
  const Catalog& catalog_;
};

}  // namespace terrarium::lambda
