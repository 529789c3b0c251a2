#include "terrarium/host/linux/nft.h"

#include <nftables/libnftables.h>

#include <mutex>

namespace terrarium::host::linux_host {
namespace {

// libnftables keeps some tables per process.
std::mutex& library() {
  static std::mutex mutex;
  return mutex;
}

}  // namespace

void Nft::Free::operator()(nft_ctx* context) const {
  const std::lock_guard lock(library());
  ::nft_ctx_free(context);
}

base::Result<Nft> Nft::open() {
  const std::lock_guard lock(library());
  Nft made(::nft_ctx_new(NFT_CTX_DEFAULT));
  if (!made.context_) return base::fail(base::ErrorKind::Internal, "nftables cannot be used");
  ::nft_ctx_buffer_error(made.context_.get());
  ::nft_ctx_buffer_output(made.context_.get());
  return made;
}

base::Result<void> Nft::run(const std::string& text) {
  if (text.empty()) return {};
  const std::lock_guard lock(library());
  if (::nft_run_cmd_from_buffer(context_.get(), text.c_str()) == 0) return {};
  auto failed = base::fail(base::ErrorKind::Internal, "the packet filter could not be changed");
  const char* const said = ::nft_ctx_get_error_buffer(context_.get());
  if (said != nullptr) failed.error().detail = std::string(said).substr(0, 2000);
  return failed;
}

}  // namespace terrarium::host::linux_host
