#include "terrarium/host/linux/dns.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>

#include "lib/base/digest.h"
#include "lib/base/encoding.h"
#include "terrarium/host/linux/ipv4.h"

namespace terrarium::host::linux_host {
namespace {

namespace fs = std::filesystem;
using base::Result;

constexpr std::array<std::string_view, 14> kRegionalServices = {
    "autoscaling",  "cloudformation",
    "ec2",          "elasticloadbalancing",
    "iam",          "lambda",
    "logs",         "monitoring",
    "rds",          "s3",
    "s3.dualstack", "secretsmanager",
    "sqs",          "ssm"};
constexpr std::array<std::string_view, 6> kGlobalNames = {
    "s3.amazonaws.com",    "sts.amazonaws.com", "iam.amazonaws.com",
    "queue.amazonaws.com", "ec2.amazonaws.com", "sqs.amazonaws.com"};
constexpr std::array<std::string_view, 28> kRegions = {
    "us-east-1",      "us-east-2",      "us-west-1",      "us-west-2",      "af-south-1",
    "ap-east-1",      "ap-south-1",     "ap-south-2",     "ap-northeast-1", "ap-northeast-2",
    "ap-northeast-3", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4",
    "ca-central-1",   "ca-west-1",      "eu-central-1",   "eu-central-2",   "eu-north-1",
    "eu-south-1",     "eu-south-2",     "eu-west-1",      "eu-west-2",      "eu-west-3",
    "il-central-1",   "me-central-1",   "sa-east-1"};
constexpr std::size_t kNameBytesMax = 253;

bool is_dns_name(const std::string& name) {
  return !name.empty() && name.size() <= kNameBytesMax && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
  });
}

// The second line makes the answer to a question for an IPv6 address "no such address" instead of
// "no such name", which some resolvers take for the whole answer.
void append_api_name(std::string& text, std::string_view name) {
  text += fmt::format("address=/{0}/{1}\nlocal=/{0}/\n", name, kApiAddress);
}

Result<void> replace_file(const fs::path& temporary, const fs::path& file,
                          const std::string& text) {
  {
    std::ofstream out(temporary, std::ios::trunc);
    out << text;
    out.close();
    if (!out) return base::fail(base::ErrorKind::Internal, "cannot write " + temporary.string());
  }
  std::error_code failure;
  fs::rename(temporary, file, failure);
  if (failure) return base::fail_errno("cannot replace " + file.string(), failure.value());
  return {};
}

}  // namespace

Result<std::string> dns_hosts_text(const std::vector<DnsNameSpec>& names) {
  std::string text;
  for (const DnsNameSpec& name : names) {
    if (!is_dns_name(name.name)) {
      return base::fail(base::ErrorKind::InvalidInput, "'" + name.name + "' is no DNS name.");
    }
    for (const std::string& address : name.addresses) {
      TRY(const std::uint32_t number, parse_ipv4(address));
      text += ipv4_text(number) + " " + name.name + "\n";
    }
  }
  return text;
}

std::string dns_configuration_text(const fs::path& hosts_folder,
                                   const std::vector<std::string>& listen) {
  std::string text =
      "keep-in-foreground\nlog-facility=-\npid-file=\nno-resolv\nno-hosts\nno-poll\n"
      "bind-interfaces\nno-negcache\nlocal-ttl=5\ndns-forward-max=1\nlocal=/#/\n";
  text += fmt::format("hostsdir={}\n", hosts_folder.string());
  for (const std::string& address : listen) text += "listen-address=" + address + "\n";
  for (const std::string_view name : kGlobalNames) append_api_name(text, name);
  for (const std::string_view region : kRegions) {
    for (const std::string_view service : kRegionalServices) {
      append_api_name(text, fmt::format("{}.{}.amazonaws.com", service, region));
    }
    append_api_name(text, fmt::format("sts.{}.amazonaws.com", region));
    append_api_name(text, fmt::format("{}.queue.amazonaws.com", region));
    append_api_name(text, fmt::format("s3-{}.amazonaws.com", region));
    append_api_name(text, fmt::format("lambda-url.{}.on.aws", region));
  }
  return text;
}

std::string dns_program_name(const std::string& id) { return "dns-" + base::to_lower(id); }

ProgramSpec dns_program(const std::string& id, const fs::path& network_namespace,
                        const fs::path& configuration) {
  return {.name = dns_program_name(id),
          .argv = {"/usr/bin/nsenter", "--net=" + network_namespace.string(), "--",
                   "/usr/bin/setpriv", "--reuid=dnsmasq", "--regid=nogroup", "--clear-groups",
                   "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all", "--",
                   "/usr/sbin/dnsmasq", "--conf-file=" + configuration.string()},
          .env = {{"PATH", "/usr/sbin:/usr/bin:/sbin:/bin"}},
          .stop_timeout = std::chrono::seconds(2)};
}

Result<fs::path> write_dns_files(const fs::path& folder, const std::vector<std::string>& listen,
                                 const std::string& hosts_text) {
  const fs::path hosts = folder / "hosts";
  std::error_code failure;
  fs::create_directories(hosts, failure);
  if (failure) return base::fail_errno("cannot make " + hosts.string(), failure.value());
  TRY_VOID(replace_file(folder / "names.new", hosts / "names", hosts_text));
  // Its name tells its content: another one makes another program of it, which is started anew.
  const std::string text = dns_configuration_text(hosts, listen);
  const std::string digest = base::hex_encode(base::digest(base::DigestKind::Sha256, text));
  const fs::path configuration = folder / ("dnsmasq-" + digest.substr(0, 12) + ".conf");
  if (fs::exists(configuration, failure)) return configuration;
  TRY_VOID(replace_file(folder / "dnsmasq.new", configuration, text));
  return configuration;
}

}  // namespace terrarium::host::linux_host
