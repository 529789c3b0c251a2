#include "terrarium/host/linux/user_data.h"

#include <zlib.h>

#include <algorithm>
#include <optional>

#include "lib/base/encoding.h"

namespace terrarium::host::linux_host {
namespace {

constexpr std::size_t kUnpackedBytesMax = 4 << 20;
constexpr std::size_t kPartsMax = 64;

std::optional<std::string> gunzip(std::string_view packed) {
  z_stream stream{};
  // 16: gzip's frame.
  if (::inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) return std::nullopt;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  std::string text;
  int status = Z_OK;
  while (status == Z_OK && text.size() <= kUnpackedBytesMax) {
    char piece[16 * 1024];
    stream.next_out = reinterpret_cast<Bytef*>(piece);
    stream.avail_out = sizeof piece;
    status = ::inflate(&stream, Z_NO_FLUSH);
    text.append(piece, sizeof piece - stream.avail_out);
  }
  ::inflateEnd(&stream);
  if (status != Z_STREAM_END || text.size() > kUnpackedBytesMax) return std::nullopt;
  return text;
}

std::string_view take_line(std::string_view& rest) {
  const std::size_t end = std::min(rest.find('\n'), rest.size());
  std::string_view line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

struct Headers {
  std::string type = "text/plain";
  std::string boundary;
  std::string encoding;
};

// The value of a parameter ("boundary") in a header's value.
std::string parameter(std::string_view value, std::string_view name) {
  const std::string lower = base::to_lower(value);
  const std::size_t at = lower.find(std::string(name) + "=");
  if (at == std::string::npos) return {};
  std::string_view found = value.substr(at + name.size() + 1);
  if (found.starts_with('"')) return std::string(found.substr(1, found.find('"', 1) - 1));
  return std::string(base::trim(found.substr(0, found.find(';'))));
}

// Takes them and the empty line after them. Continued lines belong to the header before.
Headers take_headers(std::string_view& rest) {
  std::vector<std::string> lines;
  for (std::string_view line = take_line(rest); !line.empty(); line = take_line(rest)) {
    if ((line[0] == ' ' || line[0] == '\t') && !lines.empty()) {
      lines.back() += line;
    } else {
      lines.emplace_back(line);
    }
  }
  Headers headers;
  for (const std::string& line : lines) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const std::string name = base::to_lower(line.substr(0, colon));
    const std::string value(base::trim(std::string_view(line).substr(colon + 1)));
    if (name == "content-type") {
      headers.type = base::to_lower(base::trim(value.substr(0, value.find(';'))));
      headers.boundary = parameter(value, "boundary");
    } else if (name == "content-transfer-encoding") {
      headers.encoding = base::to_lower(value);
    }
  }
  return headers;
}

// What cloud-init would do with content that starts like this; empty when it is a script.
std::string unsupported_kind(std::string_view content) {
  if (content.starts_with("#!")) return {};
  for (const char* known : {"#cloud-config-archive", "#cloud-config", "#cloud-boothook", "#include",
                            "#part-handler", "## template: jinja", "#upstart-job"}) {
    if (content.starts_with(known)) return std::string("'") + known + "' is not supported";
  }
  return "neither a script (\"#!\") nor a multipart message";
}

std::optional<std::string> decode(const Headers& headers, std::string_view body) {
  if (headers.encoding != "base64") return std::string(body);
  std::string text;
  std::ranges::copy_if(body, std::back_inserter(text), [](char character) {
    return character != '\r' && character != '\n' && character != ' ';
  });
  auto bytes = base::base64_decode(text);
  if (!bytes) return std::nullopt;
  return *std::move(bytes);
}

void add_part(std::string_view part, UserData& data) {
  const Headers headers = take_headers(part);
  const auto refuse = [&data](const std::string& why) { data.refused.push_back(why); };
  if (!headers.encoding.empty() && headers.encoding != "base64" && headers.encoding != "7bit" &&
      headers.encoding != "8bit" && headers.encoding != "binary") {
    return refuse("a part in the encoding '" + headers.encoding + "' was left out");
  }
  const auto content = decode(headers, part);
  if (!content) return refuse("a part that is no base64 was left out");
  if (headers.type != "text/x-shellscript" && headers.type != "text/plain") {
    return refuse("a part of the type '" + headers.type + "' was left out: not supported");
  }
  if (const std::string why = unsupported_kind(*content); !why.empty()) {
    return refuse("a part was left out: " + why);
  }
  data.scripts.push_back(*content);
}

UserData parse_multipart(std::string_view text) {
  UserData data;
  const Headers headers = take_headers(text);
  if (!headers.type.starts_with("multipart/") || headers.boundary.empty()) {
    data.refused.emplace_back("user data is a MIME message without parts: nothing was run");
    return data;
  }
  const std::string open = "--" + headers.boundary;
  std::optional<std::size_t> begin;
  for (std::string_view rest = text; !rest.empty() || begin;) {
    const auto at = static_cast<std::size_t>(rest.data() - text.data());
    const bool ended = rest.empty();
    const std::string_view line = take_line(rest);
    const bool closing = line == open + "--";
    if (line != open && !closing && !ended) continue;
    if (begin) {
      if (data.scripts.size() + data.refused.size() == kPartsMax) {
        data.refused.emplace_back("user data has too many parts: the rest was left out");
        return data;
      }
      // The line break before a boundary belongs to it.
      std::string_view part = text.substr(*begin, at - *begin);
      if (!ended && part.ends_with('\n')) part.remove_suffix(1);
      if (!ended && part.ends_with('\r')) part.remove_suffix(1);
      add_part(part, data);
    }
    if (closing || ended) break;
    begin = static_cast<std::size_t>(rest.data() - text.data());
  }
  return data;
}

}  // namespace

UserData parse_user_data(std::string_view bytes) {
  std::string unpacked;
  if (bytes.starts_with("\x1f\x8b")) {
    auto text = gunzip(bytes);
    if (!text) return {{}, {"user data is damaged gzip, or too large: nothing was run"}};
    unpacked = *std::move(text);
    bytes = unpacked;
  }
  if (bytes.empty()) return {};
  const std::string start = base::to_lower(bytes.substr(0, 13));
  if (start.starts_with("content-type:") || start.starts_with("mime-version:")) {
    return parse_multipart(bytes);
  }
  if (const std::string why = unsupported_kind(bytes); !why.empty()) {
    return {{}, {"user data was not run: " + why}};
  }
  return {{std::string(bytes)}, {}};
}

}  // namespace terrarium::host::linux_host
