// Resource policies: whatever parses can be evaluated, and a Deny for everything always denies.
#include <array>
#include <cstdint>
#include <string_view>

#include "lib/base/check.h"
#include "terrarium/wire/policy.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace wire = terrarium::wire;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  static constexpr std::array<std::string_view, 2> kKeys = {"s3:prefix", "s3:max-keys"};
  const auto policy = wire::Policy::parse(text, kKeys);
  if (!policy) {
    CHECK(!policy.error().message.empty(), "a refusal says why");
    return 0;
  }
  (void)policy->is_public();
  wire::PolicyRequest request{{}, "s3:GetObject", "arn:aws:s3:::bucket/a/b", {}};
  request.context["s3:prefix"] = {"a/", "b"};
  request.context["s3:max-keys"] = {"10"};
  request.context["aws:sourceip"] = {"192.0.2.1"};
  request.context["aws:sourcearn"] = {"arn:aws:s3:::bucket"};
  request.context["aws:currenttime"] = {"2023-04-29T16:19:51Z"};
  for (const auto kind : {wire::PrincipalKind::Anonymous, wire::PrincipalKind::Root,
                          wire::PrincipalKind::AssumedRole, wire::PrincipalKind::Service}) {
    request.principal = {kind, "000000000000", "s3.amazonaws.com", "AROAX:session", "key"};
    const wire::Decision once = policy->evaluate(request);
    CHECK(policy->evaluate(request) == once, "a decision depends on nothing else");
  }
  return 0;
}
