// Layers: the operations on them, which the service answers as its own, and what functions need of
// them. All versions are in memory. Control executor.
#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "generated/lambda/model.h"
#include "lib/base/clock.h"
#include "lib/base/random.h"
#include "lib/base/result.h"
#include "lib/runtime/task.h"
#include "terrarium/services/lambda/code_keeper.h"
#include "terrarium/services/lambda/layer_record.h"
#include "terrarium/store/store.h"
#include "terrarium/wire/service.h"

namespace terrarium::lambda {

class Layers {
 public:
  template <class T>
  using Answer = runtime::Task<base::Result<T>>;
  using Context = wire::Context;

  // All outlive it; none is used before load().
  Layers(store::Store& store, base::Clock& clock, base::Random& random, CodeKeeper& code)
      : store_(store), clock_(clock), random_(random), code_(code) {}

  Answer<PublishLayerVersionResponse> publish_layer_version(const Context&,
                                                            PublishLayerVersionRequest);
  Answer<GetLayerVersionResponse> get_layer_version(const Context&, GetLayerVersionRequest);
  Answer<GetLayerVersionResponse> get_layer_version_by_arn(const Context&,
                                                           GetLayerVersionByArnRequest);
  Answer<ListLayerVersionsResponse> list_layer_versions(const Context&, ListLayerVersionsRequest);
  Answer<ListLayersResponse> list_layers(const Context&, ListLayersRequest);
  Answer<wire::Empty> delete_layer_version(const Context&, DeleteLayerVersionRequest);
  Answer<AddLayerVersionPermissionResponse> add_layer_version_permission(
      const Context&, AddLayerVersionPermissionRequest);
  Answer<GetLayerVersionPolicyResponse> get_layer_version_policy(const Context&,
                                                                 GetLayerVersionPolicyRequest);
  Answer<wire::Empty> remove_layer_version_permission(const Context&,
                                                      RemoveLayerVersionPermissionRequest);

 protected:
  base::Result<void> load_layers();
  // What the ARNs of a function's Layers name, checked as AWS checks them.
  base::Result<std::vector<LayerUse>> layer_uses(const Place& place,
                                                 const std::vector<std::string>& arns) const;
  bool is_layer_code(const std::string& sha256_hex) const;
  void collect_layer_code(std::set<std::string>& sha256_hex) const;
  std::int64_t layer_bytes(const std::string& region) const;

 private:
  struct Layer {
    std::int64_t last = 0;
    std::map<std::int64_t, LayerVersionRecord> versions;
  };
  using Name = std::pair<std::string, std::string>;  // {region, layer}

  const LayerVersionRecord* find_layer(const Name& name, std::int64_t version) const;
  base::Result<LayerVersionRecord> existing_layer(const Context& context, const std::string& name,
                                                  std::int64_t version) const;
  GetLayerVersionResponse show_layer(const Context& context,
                                     const LayerVersionRecord& record) const;
  runtime::Task<base::Result<void>> save_layer(std::string region, LayerVersionRecord record);

  store::Store& store_;
  base::Clock& clock_;
  base::Random& random_;
  CodeKeeper& code_;
  std::map<Name, Layer> layers_;
};

}  // namespace terrarium::lambda
