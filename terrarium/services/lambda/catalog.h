// Every function of the region in memory: $LATEST, published versions, aliases. Filled from the
// store at the start, and changed together with it; a request's name is resolved here without a
// read. Records are immutable: who holds one keeps it as it was. Control executor.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "lib/base/random.h"
#include "lib/base/result.h"
#include "terrarium/services/lambda/function_record.h"
#include "terrarium/services/lambda/names.h"

namespace terrarium::lambda {

using FunctionPtr = std::shared_ptr<const FunctionRecord>;
using AliasPtr = std::shared_ptr<const AliasRecord>;

// What a request's function name and qualifier mean.
struct Resolved {
  std::string qualifier;  // as given: empty, "$LATEST", "3", "live"
  std::string arn;        // as given: with the qualifier, if there was one
  FunctionPtr latest;     // what belongs to the function as a whole
  FunctionPtr version;    // what runs; of an alias with weights, its first version
  AliasPtr alias;         // null unless the qualifier names one
};

class Catalog {
 public:
  struct Function {
    FunctionPtr latest;
    std::map<std::uint64_t, FunctionPtr> versions;
    std::map<std::string, AliasPtr> aliases;
  };
  using Functions = std::map<std::string, Function>;  // by name

  // ResourceNotFoundException "Function not found: ARN" when function, version or alias is not
  // there.
  base::Result<Resolved> resolve(const Place& place, std::string_view name,
                                 const std::optional<std::string>& qualifier = {}) const;
  // The same for a name that has been parsed.
  base::Result<Resolved> resolve(const Place& place, const FunctionName& name) const;
  // The version that one invocation runs: an alias chooses by its weights, anew each time.
  FunctionPtr choose(const std::string& region, const Resolved& resolved,
                     base::Random& random) const;

  const Function* find(const std::string& region, const std::string& name) const;
  const Functions& functions(const std::string& region) const;
  const std::map<std::string, Functions>& regions() const { return regions_; }

  void put(const std::string& region, FunctionPtr record);
  void put(const std::string& region, AliasPtr record);
  void erase(const std::string& region, const std::string& name);
  void erase_version(const std::string& region, const std::string& name, std::uint64_t number);
  void erase_alias(const std::string& region, const std::string& name, const std::string& alias);

 private:
  std::map<std::string, Functions> regions_;
};

}  // namespace terrarium::lambda
