// IAM policy documents attached to resources (queue and bucket policies): parsed and refused when
// they are put, evaluated when somebody calls. Pure; a Policy is immutable, any thread may use it.
//
// Supported: Version, Id, Statement with Sid, Effect, Principal ("*", AWS, Service), Action and
// NotAction, Resource and NotResource (both with * and ?, and ${variables} in version 2012-10-17),
// Condition with every operator but BinaryEquals. What is not supported - NotPrincipal, Federated
// and CanonicalUser principals, condition keys that nobody here fills in - is refused when put:
// a statement that would be ignored is a hole.
// Source: AWS IAM User Guide, "IAM JSON policy element reference" and "Policy evaluation logic".
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/clock.h"
#include "lib/base/result.h"
#include "terrarium/wire/service.h"

namespace terrarium::wire {

// Condition keys in lower case, as everywhere in IAM compared without case: "aws:sourcearn".
using ConditionContext = std::map<std::string, std::vector<std::string>, std::less<>>;

struct PolicyRequest {
  Principal principal;
  std::string action;    // "sqs:SendMessage"
  std::string resource;  // ARN
  ConditionContext context;
};

// The keys that IAM defines for every service, from the call: aws:SourceIp, aws:SecureTransport,
// aws:CurrentTime, aws:EpochTime, aws:PrincipalArn, aws:PrincipalAccount, aws:PrincipalType,
// aws:userid, aws:username, aws:PrincipalIsAWSService, aws:PrincipalServiceName, aws:ViaAWSService,
// aws:UserAgent, aws:Referer, aws:RequestedRegion. The service adds its own.
PolicyRequest policy_request(const Context& context, std::string action, std::string resource);
// A call from a service of the region on behalf of a resource: aws:SourceArn, aws:SourceAccount.
PolicyRequest policy_request_of_service(std::string service, std::string source_arn,
                                        std::string source_account, base::Timestamp now,
                                        std::string action, std::string resource);

enum class Decision : std::uint8_t { None, Allow, Deny };

class Policy {
 public:
  // `service_keys`: the condition keys that the calling service fills in beyond the global ones,
  // in lower case ("s3:prefix"; "s3:requestobjecttag/" stands for all that begin so). A refusal's
  // message says what is wrong; it has no row: the service answers its own (MalformedPolicy,
  // InvalidAttributeValue).
  static base::Result<Policy> parse(std::string_view json,
                                    std::span<const std::string_view> service_keys = {});

  // An explicit Deny wins; None when no statement speaks of the request. Statements for an account
  // ("000000000000", "arn:aws:iam::000000000000:root") allow its root only: its users need their
  // own policy besides; they deny everyone in it.
  Decision evaluate(const PolicyRequest& request) const;

  // Whether it allows everybody something without a condition that narrows who: what S3's public
  // access block refuses. Source: "The meaning of public", Amazon S3 User Guide.
  bool is_public() const;

 private:
  struct Statement;
  explicit Policy(std::shared_ptr<const std::vector<Statement>> statements)
      : statements_(std::move(statements)) {}

  friend struct PolicyParser;
  std::shared_ptr<const std::vector<Statement>> statements_;
};

}  // namespace terrarium::wire
