// Function and layer code in use: from requests and from S3 into the code store, out of it again
// when nobody has it any more, and to clients that ask for it by link. Control executor;
// open_link() any.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/base/clock.h"
#include "lib/base/random.h"
#include "lib/base/result.h"
#include "lib/http/body.h"
#include "lib/runtime/event.h"
#include "lib/runtime/runtime.h"
#include "lib/runtime/task_group.h"
#include "terrarium/services/lambda/code_store.h"
#include "terrarium/services/s3/api.h"

namespace terrarium::lambda {

// Where the daemon serves a zip: a link is the caller's endpoint, this, and a token.
inline constexpr std::string_view kCodePrefix = "/_terrarium/lambda/code/";

// Where the code of a request comes from: a zip in it, or an object.
struct CodeSource {
  std::string zip;
  std::string bucket;
  std::string key;
  std::optional<std::string> version_id;
};

class CodeKeeper;

// Stored code that no record names yet: kept while this lives. Without a record by then, it goes.
class PinnedCode {
 public:
  PinnedCode(CodeKeeper& keeper, StoredCode code) : keeper_(&keeper), code_(std::move(code)) {}
  PinnedCode(PinnedCode&& other) noexcept
      : keeper_(std::exchange(other.keeper_, nullptr)), code_(std::move(other.code_)) {}
  PinnedCode& operator=(PinnedCode&&) = delete;
  ~PinnedCode();
  const StoredCode& operator*() const { return code_; }
  const StoredCode* operator->() const { return &code_; }

 private:
  CodeKeeper* keeper_;
  StoredCode code_;
};

class CodeKeeper {
 public:
  // All outlive it.
  struct Parts {
    base::Clock& clock;
    base::Random& random;
    runtime::Runtime& runtime;
    s3::Api& s3;
    runtime::TaskGroup& tasks;
  };
  CodeKeeper(Parts parts, std::filesystem::path folder);

  // Who has code; set before anything else is called.
  std::function<bool(const std::string& sha256_hex)> is_used;
  // Until nothing runs it.
  std::function<runtime::Task<void>(std::string sha256_hex)> wait_unused;

  runtime::Task<base::Result<PinnedCode>> store(CodeSource source);
  // Several layers laid over each other, the last on top, under an id made of theirs.
  runtime::Task<base::Result<PinnedCode>> merge(std::vector<std::string> layers);
  // Removes it, once nobody has it.
  void forget_later(std::string sha256_hex);

  const CodeStore& files() const { return store_; }
  // The caller's link to the zip, good for ten minutes.
  std::string link(std::string_view endpoint, const std::string& sha256_hex) const;
  // What the token of such a link names. NotFound, Denied.
  base::Result<std::unique_ptr<http::BodyReader>> open_link(std::string_view token) const;

 private:
  friend class PinnedCode;
  void unpin(const std::string& sha256_hex);
  runtime::Task<void> forget(std::string sha256_hex);
  runtime::Task<void> enter();
  void leave();

  Parts parts_;
  CodeStore store_;
  std::string secret_;
  std::multiset<std::string> pinned_;
  bool busy_ = false;  // calls of the store do not overlap
  runtime::Event free_;
};

}  // namespace terrarium::lambda
