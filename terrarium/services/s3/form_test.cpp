#include <gtest/gtest.h>

#include "generated/s3/errors.h"
#include "lib/aws/sigv2.h"
#include "lib/aws/sigv4.h"
#include "lib/base/digest.h"
#include "lib/base/encoding.h"
#include "terrarium/services/s3/form.h"
#include "terrarium/services/s3/post_policy.h"
#include "terrarium/services/s3/testing_region.h"
#include "terrarium/wire/authenticate.h"

namespace terrarium::s3 {
namespace {

using Fields = std::vector<std::pair<std::string, std::string>>;

std::string form_of(const Fields& fields, const std::string& file,
                    std::string_view end = "--\r\n") {
  std::string form;
  for (const auto& [name, value] : fields) {
    form +=
        "--XX\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n";
  }
  form +=
      "--XX\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a b.txt\"\r\n"
      "Content-Type: text/html\r\n\r\n" +
      file + "\r\n--XX";
  return form + std::string(end);
}

// A body that comes in pieces of `piece` bytes.
class Pieces final : public http::BodyReader {
 public:
  Pieces(std::string bytes, std::size_t piece) : bytes_(std::move(bytes)), piece_(piece) {}
  runtime::Task<base::Result<std::size_t>> read(std::span<char> into) override {
    const std::size_t count = std::min({into.size(), piece_, bytes_.size() - at_});
    std::ranges::copy_n(bytes_.begin() + static_cast<std::ptrdiff_t>(at_),
                        static_cast<std::ptrdiff_t>(count), into.begin());
    at_ += count;
    co_return count;
  }
  std::optional<std::uint64_t> length() const override { return bytes_.size(); }

 private:
  std::string bytes_;
  std::size_t piece_;
  std::size_t at_ = 0;
};

class FormRegion : public S3Region, private wire::KeyStore {
 public:
  FormRegion() : authenticator_(*this) { EXPECT_TRUE(create_bucket("forms").has_value()); }

  base::Result<PostObjectOutput> post(const std::string& form, std::size_t piece = 1'000'000) {
    wire::Context context = anonymous();
    Pieces body(form, piece);
    context.body = &body;
    context.authenticator = &authenticator_;
    PostObjectRequest request;
    request.bucket = "forms";
    request.content_type = "multipart/form-data; boundary=XX";
    return wait(s3().post_object(context, std::move(request)));
  }
  // Signed for `conditions`, which must name every field.
  Fields signed_fields(Fields fields, const std::string& conditions,
                       const std::string& expiration = "2199-01-01T00:00:00Z") {
    const std::string day = base::iso8601_basic(clock.now()).substr(0, 8);
    const aws::Scope scope{day, "us-east-1", "s3"};
    fields.emplace_back("x-amz-algorithm", "AWS4-HMAC-SHA256");
    fields.emplace_back("x-amz-credential", "AKID/" + scope.text());
    fields.emplace_back("x-amz-date", day + "T000000Z");
    const std::string policy = base::base64_encode(
        R"({"expiration": ")" + expiration +
        R"(", "conditions": [{"bucket": "forms"}, ["starts-with", "$x-amz-date", ""],)"
        R"(["starts-with", "$x-amz-algorithm", ""], ["starts-with", "$x-amz-credential", ""])" +
        conditions + "]}");
    fields.emplace_back("policy", policy);
    fields.emplace_back("x-amz-signature", base::hex_encode(base::hmac_sha256(
                                               aws::signing_key("secret", scope), policy)));
    return fields;
  }

 private:
  base::Result<std::optional<wire::Key>> find(std::string_view id) const override {
    if (id != "AKID") return std::optional<wire::Key>();
    wire::Key key;
    key.secret = "secret";
    key.principal = {wire::PrincipalKind::Root, "000000000000", "arn:aws:iam::000000000000:root",
                     "000000000000", "AKID"};
    return std::optional(key);
  }
  wire::Authenticator authenticator_;
};

const std::string kAnyKey = R"(, ["starts-with", "$key", "in/"])";

TEST(S3Form, FileIsKeptWithWhatTheFieldsSayOfIt) {
  FormRegion region;
  const Fields fields = region.signed_fields(
      {{"key", "in/${filename}"},
       {"Content-Type", "text/plain"},
       {"x-amz-meta-who", "me"},
       {"tagging", "<Tagging><TagSet><Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"},
       {"success_action_status", "201"}},
      kAnyKey + R"(, {"content-type": "text/plain"}, {"x-amz-meta-who": "me"},)"
                R"(["starts-with", "$tagging", ""], {"success_action_status": "201"})");
  const auto posted = region.post(form_of(fields, "the file"));
  ASSERT_TRUE(posted.has_value()) << posted.error().message;
  EXPECT_EQ(posted->status_code, 201);
  EXPECT_NE(posted->body->find("<Key>in/a b.txt</Key>"), std::string::npos);
  auto got = region.get(S3Region::get_request("forms", "in/a b.txt"));
  ASSERT_TRUE(got.has_value());
  EXPECT_EQ(region.read(*got), "the file");
  EXPECT_EQ(got->content_type, "text/plain");
  EXPECT_EQ(got->metadata->at("who"), "me");
  EXPECT_EQ(got->tag_count, 1);
}

TEST(S3Form, FileStreamsWhateverPiecesItComesIn) {
  FormRegion region;
  std::string large(300'000, 'x');
  for (std::size_t i = 0; i + 6 < large.size(); i += 997) large.replace(i, 6, "\r\n--XY");
  const Fields fields = region.signed_fields({{"key", "in/large"}}, kAnyKey);
  for (const std::size_t piece : {7, 1'000, 65'536}) {
    const auto posted = region.post(form_of(fields, large), piece);
    ASSERT_TRUE(posted.has_value()) << posted.error().message;
    EXPECT_EQ(region.body_of("forms", "in/large"), large) << piece;
  }
  EXPECT_EQ(region.post(form_of(fields, ""))->status_code, 204);
  EXPECT_EQ(region.body_of("forms", "in/large"), "");
}

TEST(S3Form, FormThatBreaksOffLeavesNothingBehind) {
  FormRegion region;
  const Fields fields = region.signed_fields({{"key", "in/k"}}, kAnyKey);
  const std::string whole = form_of(fields, std::string(100'000, 'x'));
  for (const std::size_t bytes : {std::size_t{10}, whole.size() / 2, whole.size() - 12}) {
    EXPECT_EQ(S3Region::code_of(region.post(whole.substr(0, bytes))), "MalformedPOSTRequest");
  }
  region.advance(std::chrono::seconds(1));
  EXPECT_EQ(region.files(), 0u);
  EXPECT_EQ(region.body_of("forms", "in/k"), "NoSuchKey");
}

TEST(S3Form, PolicyDecidesWhatTheFormMaySay) {
  FormRegion region;
  const auto code = [&](const Fields& fields, const std::string& file = "12345") {
    return S3Region::code_of(region.post(form_of(fields, file)));
  };
  const auto other_key =
      region.post(form_of(region.signed_fields({{"key", "out/k"}}, kAnyKey), ""));
  EXPECT_EQ(other_key.error().message,
            "Invalid according to Policy: Policy Condition failed: "
            "[\"starts-with\", \"$key\", \"in/\"]");
  const auto extra = region.post(
      form_of(region.signed_fields({{"key", "in/k"}, {"acl", "private"}}, kAnyKey), ""));
  EXPECT_EQ(extra.error().message, "Invalid according to Policy: Extra input fields: acl");
  const auto expired = region.post(
      form_of(region.signed_fields({{"key", "in/k"}}, kAnyKey, "1999-01-01T00:00:00.000Z"), ""));
  EXPECT_EQ(expired.error().message, "Invalid according to Policy: Policy expired.");

  const std::string sized = kAnyKey + R"(, ["content-length-range", 3, 5])";
  EXPECT_EQ(code(region.signed_fields({{"key", "in/k"}}, sized)), "no error");
  EXPECT_EQ(code(region.signed_fields({{"key", "in/k"}}, sized), "12"), "EntityTooSmall");
  EXPECT_EQ(code(region.signed_fields({{"key", "in/k"}}, sized), "123456"), "EntityTooLarge");
  EXPECT_EQ(region.body_of("forms", "in/k"), "12345");
}

TEST(S3Form, SignatureMustBeThatOfThePolicy) {
  FormRegion region;
  Fields fields = region.signed_fields({{"key", "in/k"}}, kAnyKey);
  fields.back().second[0] ^= 1;
  EXPECT_EQ(S3Region::code_of(region.post(form_of(fields, "x"))), "SignatureDoesNotMatch");
  EXPECT_EQ(S3Region::code_of(region.post(form_of({{"key", "in/k"}}, "x"))), "AccessDenied");
  fields.pop_back();
  const auto unsigned_form = region.post(form_of(fields, "x"));
  EXPECT_EQ(field_of(unsigned_form.error(), "ArgumentName"), "X-Amz-Signature");

  const std::string policy =
      base::base64_encode(R"({"expiration": "2199-01-01T00:00:00Z",)"
                          R"("conditions": [{"bucket": "forms"}, {"key": "k"}]})");
  const Fields older{{"key", "k"},
                     {"AWSAccessKeyId", "AKID"},
                     {"policy", policy},
                     {"signature", aws::sign_form_v2("secret", policy)}};
  EXPECT_EQ(region.post(form_of(older, "x"))->status_code, 204);
}

TEST(S3Form, FormsThatAreNoneAreRefused) {
  FormRegion region;
  EXPECT_EQ(S3Region::code_of(region.post("--XX--\r\n")), "InvalidArgument");
  EXPECT_EQ(S3Region::code_of(region.post("nothing")), "MalformedPOSTRequest");
  EXPECT_EQ(S3Region::code_of(region.post(form_of({{"other", "x"}}, "x"))), "InvalidArgument");
  EXPECT_EQ(S3Region::code_of(region.post(form_of({{"key", std::string(30'000, 'k')}}, "x"))),
            "MaxPostPreDataLengthExceededError");
  EXPECT_EQ(S3Region::code_of(region.post("--XX\r\n" + std::string(10'000, 'h'))),
            "MaxPostPreDataLengthExceededError");
  EXPECT_EQ(S3Region::code_of(region.post(form_of(Fields(30'000, {"n", ""}), "x"))),
            "MaxPostPreDataLengthExceededError");
}

TEST(S3PostPolicy, DocumentsThatAreNoPolicySayWhy) {
  const auto why = [](std::string_view document) {
    return parse_post_policy(base::base64_encode(document)).error().message;
  };
  EXPECT_EQ(why(""), "Invalid Policy: Expecting '{' but found End-of-Input");
  EXPECT_EQ(why("[]"), "Invalid Policy: Invalid JSON.");
  EXPECT_EQ(why("{}"), "Invalid Policy: Policy missing expiration.");
  EXPECT_EQ(why(R"({"expiration": "soon"})"), "Invalid Policy: Invalid 'expiration' value: 'soon'");
  const std::string begin = R"({"expiration": "2030-01-01T00:00:00Z")";
  EXPECT_EQ(why(begin + "}"), "Invalid Policy: Policy missing conditions.");
  EXPECT_EQ(why(begin + R"(, "conditions": {}})"),
            "Invalid Policy: Invalid 'conditions' value: must be a List.");
  EXPECT_EQ(why(begin + R"(, "conditions": [["ends-with", "$key", "x"]]})"),
            "Invalid Policy: Invalid Condition: unknown operation 'ends-with'.");
  EXPECT_EQ(why(begin + R"(, "conditions": [["eq", "$key"]]})"),
            "Invalid Policy: Invalid eq: wrong number of arguments.");
  EXPECT_FALSE(parse_post_policy("%%%").has_value());
}

}  // namespace
}  // namespace terrarium::s3
