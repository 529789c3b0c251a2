// libnftables in one network namespace: transactions as text. The library's context belongs to the
// namespace that its maker's thread was in.
//
// Blocks; any thread, one at a time.
#pragma once

#include <memory>
#include <string>

#include "lib/base/result.h"

struct nft_ctx;

namespace terrarium::host::linux_host {

class Nft {
 public:
  // In the calling thread's network namespace.
  static base::Result<Nft> open();
  // One transaction: all of it or nothing.
  base::Result<void> run(const std::string& text);

 private:
  struct Free {
    void operator()(nft_ctx* context) const;
  };
  explicit Nft(nft_ctx* context) : context_(context) {}

  std::unique_ptr<nft_ctx, Free> context_;
};

}  // namespace terrarium::host::linux_host
