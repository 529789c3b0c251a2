#include "terrarium/host/linux/network_names.h"

#include <algorithm>
#include <cstring>

#include "lib/base/digest.h"
#include "lib/base/encoding.h"

namespace terrarium::host::linux_host {
namespace {

std::string digest_of(const std::string& text) {
  return base::digest(base::DigestKind::Sha256, text);
}

}  // namespace

std::string region_tag(const std::filesystem::path& state) {
  const std::string folder = std::filesystem::weakly_canonical(state).string();
  return "trm" + base::hex_encode(digest_of(folder)).substr(0, 6);
}

std::string link_name(std::string_view prefix, const std::string& id) {
  return std::string(prefix) + base::hex_encode(digest_of(id)).substr(0, 12);
}

std::string mac_address(const std::string& id) {
  const std::string digits = base::hex_encode(digest_of(id));
  std::string mac = "02";
  for (std::size_t at = 0; at < 10; at += 2) mac += ":" + digits.substr(at, 2);
  return mac;
}

std::uint32_t number_of(const std::string& id) {
  const std::string bytes = digest_of(id);
  std::uint32_t number = 0;
  std::memcpy(&number, bytes.data(), sizeof number);
  return 1000 + number % 0x7fff'0000;
}

bool is_plain_id(const std::string& id) {
  return !id.empty() && id.size() <= 36 && std::ranges::all_of(id, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  });
}

}  // namespace terrarium::host::linux_host
